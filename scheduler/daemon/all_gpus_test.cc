#include "scheduler/daemon/all_gpus.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

config::v1::DaemonConfig ConfigWith(const std::vector<std::string>& devices) {
  config::v1::DaemonConfig config;
  for (const std::string& name : devices) {
    config::v1::DeviceConfig& device = *config.add_devices();
    device.set_name(name);
    device.set_memory_limit_bytes(1 << 20);
    device.set_threads(3);
  }
  return config;
}

std::vector<std::string> Texts(const config::v1::DaemonConfig& config) {
  std::vector<std::string> texts;
  for (const auto& device : config.devices()) {
    texts.push_back(absl::StrCat(device.name(), " ",
                                 device.memory_limit_bytes(), " ",
                                 device.threads()));
  }
  return texts;
}

TEST(ExpandAllGpusTest, PutsEachGpuInItsPlaceWithTheSameLimits) {
  config::v1::DaemonConfig config = ConfigWith({"cuda:all"});
  ASSERT_TRUE(ExpandAllGpus([] { return 2; }, &config).ok());
  EXPECT_THAT(Texts(config),
              ElementsAre("cuda:0 1048576 3", "cuda:1 1048576 3"));
}

TEST(ExpandAllGpusTest, WithoutSuchADeviceNobodyIsAsked) {
  config::v1::DaemonConfig config = ConfigWith({"cpu:0", "cpu:1"});
  const auto count = []() -> absl::StatusOr<int> {
    ADD_FAILURE() << "asked";
    return 1;
  };
  ASSERT_TRUE(ExpandAllGpus(count, &config).ok());
  EXPECT_EQ(config.devices_size(), 2);
}

TEST(ExpandAllGpusTest, SaysWhatWasFoundInPlaceOfGpus) {
  config::v1::DaemonConfig config = ConfigWith({"cuda:all"});
  EXPECT_THAT(ExpandAllGpus([] { return 0; }, &config).message(),
              HasSubstr("there is none: the driver knows of no GPU"));
  EXPECT_THAT(
      ExpandAllGpus([] { return absl::NotFoundError("no driver"); }, &config)
          .message(),
      HasSubstr("there is none: no driver"));
  EXPECT_EQ(config.devices_size(), 1);
}

TEST(VisibleGpusTest, CountsAsCudaDoes) {
  EXPECT_EQ(VisibleGpus(4, std::nullopt), 4);
  EXPECT_EQ(VisibleGpus(4, "2,0"), 2);
  EXPECT_EQ(VisibleGpus(4, "2, 0,3"), 3);
  EXPECT_EQ(VisibleGpus(4, ""), 0);
  EXPECT_EQ(VisibleGpus(4, "-1"), 0);
  EXPECT_EQ(VisibleGpus(4, "1,7,2"), 1);
  EXPECT_EQ(VisibleGpus(4, "GPU-5a1c,MIG-77"), 2);
}

}  // namespace
}  // namespace hydra
