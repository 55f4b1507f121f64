#include "scheduler/daemon/device_model.h"

#include <cstdlib>

#include "common/nvml/testing/fake_nvml.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

std::string ModelOf(const std::string& name) {
  config::v1::DeviceConfig device;
  device.set_name(name);
  return DeviceModel(device, "A processor",
                     [](const std::string& entry) { return "GPU " + entry; });
}

TEST(DeviceModelTest, OfAGpuIsTheProcessorAndTheCardThatItsWorkerSees) {
  unsetenv("CUDA_VISIBLE_DEVICES");
  EXPECT_EQ(ModelOf("cpu:1"), "A processor");
  EXPECT_EQ(ModelOf("cuda:1"), "A processor, GPU 1");
  setenv("CUDA_VISIBLE_DEVICES", "3,GPU-5a1c", 1);
  EXPECT_EQ(ModelOf("cuda:1"), "A processor, GPU GPU-5a1c");
}

TEST(DeviceModelTest, OfALinkHasItsSpeed) {
  config::v1::DeviceConfig device;
  device.set_name("cpu:0");
  device.mutable_link()->set_to_device_gb_per_second(8);
  EXPECT_EQ(DeviceModel(device, "A processor", {}),
            "A processor, link to_device_gb_per_second: 8");
}

TEST(GpuModelTest, HasTheCardsNameAndItsMemory) {
  TheFakeNvml() = {};
  FakeNvml::Gpu& gpu = TheFakeNvml().gpus["0000:3B:00.0"];
  gpu.name = "A card";
  gpu.memory.total = uint64_t{40} << 30;
  const auto nvml = Nvml::Open(FakeNvmlTable()).value();
  EXPECT_EQ(GpuModel(*nvml, "0"), "A card, 40960 MiB");
  EXPECT_EQ(GpuModel(*nvml, "1"), "");
}

}  // namespace
}  // namespace hydra
