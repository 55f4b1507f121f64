#include "scheduler/daemon/device_environment.h"

#include <map>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Variables = std::map<std::string, std::string>;

std::vector<std::string> Environment(const char* name, const Variables& own) {
  return DeviceEnvironment(
      DeviceName::Parse(name).value(),
      [&own](const char* variable) -> std::optional<std::string> {
        const auto found = own.find(variable);
        if (found == own.end()) return std::nullopt;
        return found->second;
      });
}

TEST(DeviceEnvironmentTest, AWorkerSeesItsGpuAlone) {
  EXPECT_THAT(
      Environment("cuda:3", {}),
      ElementsAre("CUDA_VISIBLE_DEVICES=3", "CUDA_DEVICE_ORDER=PCI_BUS_ID"));
}

TEST(DeviceEnvironmentTest, CountsWhatTheDaemonMaySee) {
  const Variables own = {{"CUDA_VISIBLE_DEVICES", "5,GPU-8932f937,7"},
                         {"CUDA_DEVICE_ORDER", "FASTEST_FIRST"}};
  EXPECT_THAT(Environment("cuda:0", own),
              ElementsAre("CUDA_VISIBLE_DEVICES=5"));
  EXPECT_THAT(Environment("cuda:1", own),
              ElementsAre("CUDA_VISIBLE_DEVICES=GPU-8932f937"));
  EXPECT_THAT(Environment("cuda:3", own), ElementsAre("CUDA_VISIBLE_DEVICES="));
}

TEST(DeviceEnvironmentTest, NothingForAProcessor) {
  EXPECT_THAT(Environment("cpu:0", {{"CUDA_VISIBLE_DEVICES", "1"}}), IsEmpty());
}

}  // namespace
}  // namespace hydra
