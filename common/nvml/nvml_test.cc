#include "common/nvml/nvml.h"

#include <cstdlib>

#include "common/nvml/load_nvml.h"
#include "common/nvml/testing/fake_nvml.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;

constexpr char kPlace[] = "0000:3B:00.0";

class NvmlTest : public testing::Test {
 protected:
  void SetUp() override { TheFakeNvml() = {}; }
};

TEST_F(NvmlTest, ReadsWhatTheCardSays) {
  FakeNvml::Gpu& gpu = TheFakeNvml().gpus[kPlace];
  gpu.name = "A card";
  gpu.use_percent = 75;
  gpu.memory = {1000, 600, 400};
  gpu.milliwatts = 250'500;
  gpu.millijoules = 12'345;
  TheFakeNvml().gpus["0000:5E:00.0"].use_percent = 1;
  const auto nvml = Nvml::Open(FakeNvmlTable()).value();
  EXPECT_EQ(nvml->DeviceCount().value(), 2);
  const NvmlDevice device = nvml->Find(kPlace).value();
  EXPECT_EQ(nvml->NameOf(device), "A card");
  const GpuReading reading = nvml->Read(device);
  EXPECT_DOUBLE_EQ(reading.use.value(), 0.75);
  EXPECT_EQ(reading.memory_used_bytes, 400);
  EXPECT_EQ(reading.memory_total_bytes, 1000);
  EXPECT_DOUBLE_EQ(reading.watts.value(), 250.5);
  EXPECT_DOUBLE_EQ(reading.joules.value(), 12.345);
}

TEST_F(NvmlTest, WhatACardDoesNotSayIsAbsent) {
  TheFakeNvml().gpus[kPlace].counts_energy = false;
  const auto nvml = Nvml::Open(FakeNvmlTable()).value();
  const GpuReading reading = nvml->Read(nvml->Find(kPlace).value());
  EXPECT_FALSE(reading.joules.has_value());
  EXPECT_TRUE(reading.watts.has_value());
}

TEST_F(NvmlTest, RefusalsSayWhatWasAskedAndWhy) {
  const auto nvml = Nvml::Open(FakeNvmlTable()).value();
  const absl::Status none = nvml->Find("0000:00:00.0").status();
  EXPECT_EQ(none.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(none.message(), HasSubstr("some words (6): 0000:00:00.0"));
  TheFakeNvml().refusal = 9;
  EXPECT_EQ(Nvml::Open(FakeNvmlTable()).status(),
            absl::FailedPreconditionError("nvmlInit: some words (9)"));
}

TEST_F(NvmlTest, FindsWhatCudaVisibleDevicesNames) {
  TheFakeNvml().gpus["0000:3B:00.0"].name = "first";
  FakeNvml::Gpu& second = TheFakeNvml().gpus["0000:5E:00.0"];
  second.name = "second";
  second.uuid = "GPU-5a1c";
  const auto nvml = Nvml::Open(FakeNvmlTable()).value();
  EXPECT_EQ(nvml->NameOf(nvml->FindVisible("0").value()), "first");
  EXPECT_EQ(nvml->NameOf(nvml->FindVisible("1").value()), "second");
  EXPECT_EQ(nvml->NameOf(nvml->FindVisible("GPU-5a1c").value()), "second");
  EXPECT_FALSE(nvml->FindVisible("2").ok());
  EXPECT_FALSE(nvml->FindVisible("GPU-77").ok());
}

TEST_F(NvmlTest, ClosesWhatItOpened) {
  { const auto nvml = Nvml::Open(FakeNvmlTable()).value(); }
  EXPECT_EQ(TheFakeNvml().open, 0);
}

TEST(LoadNvmlTest, FindsEveryFunctionOfALibrary) {
  setenv("HYDRA_FAKE_GPUS", "3", 1);
  const auto table = LoadNvml("common/nvml/testing/libnvidia-ml.so.1").value();
  EXPECT_EQ(Nvml::Open(table).value()->DeviceCount().value(), 3);
}

TEST(LoadNvmlTest, WithoutADriverThereIsNone) {
  const absl::Status status = LoadNvml("no_such_library.so.1").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(status.message(), HasSubstr("no_such_library.so.1"));
}

}  // namespace
}  // namespace hydra
