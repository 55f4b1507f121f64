#include "common/pool/pool_header.h"

#include <cstddef>
#include <string>

#include "gtest/gtest.h"

namespace hydra {
namespace {

PoolHeader Example() {
  return MakePoolHeader({0x12, 0x34}, /*total_bytes=*/1 << 20,
                        /*owner_pid=*/77);
}

TEST(PoolHeaderTest, AcceptsWhatItMade) {
  const PoolHeader header = Example();
  EXPECT_TRUE(CheckPoolHeader(header).ok());
  EXPECT_EQ(header.instance_id, (InstanceId{0x12, 0x34}));
  EXPECT_EQ(header.total_bytes, 1 << 20);
  EXPECT_EQ(header.data_offset, 4096);
  EXPECT_EQ(header.owner_pid, 77);
}

TEST(PoolHeaderTest, NoticesEveryChangedByteBeforeTheOwner) {
  for (size_t i = 0; i < offsetof(PoolHeader, owner_pid); ++i) {
    PoolHeader header = Example();
    reinterpret_cast<unsigned char*>(&header)[i] ^= 1;
    EXPECT_EQ(CheckPoolHeader(header).code(),
              absl::StatusCode::kFailedPrecondition)
        << "byte " << i;
  }
}

TEST(PoolHeaderTest, StaysValidWhenTheFileChangesHands) {
  PoolHeader header = Example();
  header.owner_pid = 78;
  EXPECT_TRUE(CheckPoolHeader(header).ok());
}

TEST(PoolHeaderTest, NamesTheUnknownLayoutVersion) {
  PoolHeader header = Example();
  header.layout_version = 9;
  EXPECT_TRUE(HasPoolMagic(header));
  EXPECT_NE(CheckPoolHeader(header).message().find("version is 9"),
            std::string::npos);
}

TEST(PoolHeaderTest, DoesNotTakeZerosForAPool) {
  EXPECT_FALSE(HasPoolMagic(PoolHeader{}));
  EXPECT_FALSE(CheckPoolHeader(PoolHeader{}).ok());
}

}  // namespace
}  // namespace hydra
