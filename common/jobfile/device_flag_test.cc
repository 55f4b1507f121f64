#include "common/jobfile/device_flag.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> Parsed(const std::vector<std::string>& flags) {
  std::vector<std::string> texts;
  const std::vector<DeviceFlag> devices = ParseDeviceFlags(flags).value();
  for (const DeviceFlag& device : devices) {
    std::string& text = texts.emplace_back(device.name);
    if (device.memory_limit_bytes.has_value()) {
      absl::StrAppend(&text, " ", *device.memory_limit_bytes >> 20, " MiB");
    }
    if (device.link_gb_per_second.has_value()) {
      absl::StrAppend(&text, " ", *device.link_gb_per_second);
    }
  }
  return texts;
}

TEST(ParseDeviceFlagsTest, ADeviceHasALimitAndALinkOrNot) {
  EXPECT_THAT(Parsed({"cpu:0", "cuda:all=14GiB", "cpu:1=1GiB,link=8"}),
              ElementsAre("cpu:0", "cuda:all 14336 MiB", "cpu:1 1024 MiB 8"));
}

TEST(ParseDeviceFlagsTest, ItDoesNotMatterWhoSplitsThem) {
  const auto expected = ElementsAre("cpu:0 1 MiB 0.5", "cpu:1", "cpu:2 2 MiB");
  EXPECT_THAT(Parsed({"cpu:0=1MiB,link=0.5,cpu:1,cpu:2=2MiB"}), expected);
  EXPECT_THAT(Parsed({"cpu:0=1MiB", "link=0.5", "cpu:1", "cpu:2=2MiB"}),
              expected);
}

TEST(ParseDeviceFlagsTest, MistakesNameThePart) {
  for (const auto& [flag, part] :
       std::vector<std::pair<std::string, std::string>>{
           {"cpu:0,cpu:1=much", "'cpu:1=much'"},
           {"cpu:0=1GiB,link=fast", "'link=fast'"},
           {"cpu:0=1GiB,link=nan", "'link=nan'"},
           {"link=8,cpu:0", "before 'link=8'"}}) {
    const absl::Status status = ParseDeviceFlags({flag}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(status.message(), HasSubstr(part));
  }
}

}  // namespace
}  // namespace hydra
