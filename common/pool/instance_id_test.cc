#include "common/pool/instance_id.h"

#include <string>

#include "gtest/gtest.h"

namespace hydra {
namespace {

TEST(InstanceIdTest, TwoRandomOnesDiffer) {
  EXPECT_NE(InstanceId::Random(), InstanceId::Random());
}

TEST(InstanceIdTest, HexKeepsLeadingZerosAndReadsBack) {
  const InstanceId id = {0x1, 0xab00000000000002};
  EXPECT_EQ(id.ToHex(), "0000000000000001ab00000000000002");
  EXPECT_EQ(InstanceId::FromHex(id.ToHex()).value(), id);
}

TEST(InstanceIdTest, RefusesWhatIsNot32HexadecimalDigits) {
  for (const std::string& text :
       {std::string(), std::string(31, 'a'), std::string(33, 'a'),
        std::string(32, 'g'), "0x" + std::string(30, 'a'),
        " " + std::string(31, 'a'), "-" + std::string(31, 'a')}) {
    EXPECT_EQ(InstanceId::FromHex(text).status().code(),
              absl::StatusCode::kInvalidArgument)
        << text;
  }
}

}  // namespace
}  // namespace hydra
