#include "worker/device/cuda/open_cuda_device.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/device/cuda/testing/fake_cuda.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;

absl::Status Check(int devices) {
  FakeCuda::Options options;
  options.devices = devices;
  FakeCuda cuda(options);
  return CheckOneGpu("cuda:3", cuda);
}

TEST(OpenCudaDeviceTest, WantsExactlyOneGpu) {
  EXPECT_TRUE(Check(1).ok());
  const absl::Status many = Check(8);
  EXPECT_EQ(many.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(many.message(), HasSubstr("sees 8 GPUs"));
  EXPECT_THAT(many.message(), HasSubstr("CUDA_VISIBLE_DEVICES"));
}

TEST(OpenCudaDeviceTest, SaysThatThereIsNone) {
  const absl::Status none = Check(0);
  EXPECT_EQ(none.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(none.message(), HasSubstr("cuda:3"));
  EXPECT_THAT(none.message(), HasSubstr("cudaErrorNoDevice (100)"));
}

TEST(OpenCudaDeviceTest, NeedsItsModule) {
  const absl::Status refused = OpenCudaDevice("cuda:3", 1 << 20, {}).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(refused.message(), HasSubstr("libhydra_cuda.so"));
}

}  // namespace
}  // namespace hydra
