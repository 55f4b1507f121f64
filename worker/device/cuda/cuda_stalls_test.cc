#include "worker/device/cuda/cuda_stalls.h"

#include <memory>
#include <vector>

#include "gtest/gtest.h"
#include "worker/device/cuda/testing/fake_cuda.h"

namespace hydra {
namespace {

constexpr absl::Duration kCopyTime = absl::Milliseconds(5);

FakeCuda::Options SlowCopies() {
  FakeCuda::Options options;
  options.copy_time = kCopyTime;
  options.unregistered_copies_wait = false;
  options.asking_brings_on = false;
  return options;
}

class CudaStallsTest : public testing::Test {
 protected:
  // An event behind a new copy.
  CudaEvent AfterCopy() {
    EXPECT_TRUE(cuda_.CopyToDevice(stream_, host_, memory_).ok());
    EXPECT_TRUE(cuda_.RecordEvent(event_, stream_).ok());
    return event_;
  }
  void Compute() { EXPECT_TRUE(cuda_.SynchronizeStream(kComputeStream).ok()); }

  FakeCuda cuda_{SlowCopies()};
  const CudaStream stream_ = cuda_.CreateStream().value();
  const CudaEvent event_ = cuda_.CreateEvent().value();
  std::vector<std::byte> host_{64, std::byte{7}};
  std::byte* const memory_ = cuda_.Malloc(64).value();
};

TEST_F(CudaStallsTest, AWaitTakesAsLongAsTheComputeStreamStoodStill) {
  CudaStalls stalls(&cuda_, 8);
  EXPECT_TRUE(stalls.Wait(AfterCopy()).ok());
  EXPECT_EQ(stalls.Total(), absl::ZeroDuration()) << "it is not over";
  Compute();
  const absl::Duration one = stalls.Total();
  EXPECT_GE(one, kCopyTime);
  EXPECT_EQ(memory_[63], std::byte{7});
  EXPECT_TRUE(stalls.Wait(AfterCopy()).ok());
  Compute();
  EXPECT_GE(stalls.Total(), one + kCopyTime);
}

TEST_F(CudaStallsTest, SomeAreMeasuredAtOnceAndAllAreWaitedFor) {
  CudaStalls stalls(&cuda_, 2);
  for (int i = 0; i < 4; ++i) {
    host_.assign(64, static_cast<std::byte>(i));
    EXPECT_TRUE(stalls.Wait(AfterCopy()).ok());
  }
  EXPECT_EQ(cuda_.events(), 1 + 2 * 2);
  Compute();
  EXPECT_EQ(memory_[63], std::byte{3});
  EXPECT_GE(stalls.Total(), 2 * kCopyTime);
}

TEST_F(CudaStallsTest, ItsEventsAreUsedAgainAndGivenBack) {
  auto stalls = std::make_unique<CudaStalls>(&cuda_, 8);
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(stalls->Wait(AfterCopy()).ok());
    Compute();
    EXPECT_GT(stalls->Total(), absl::ZeroDuration());
    EXPECT_EQ(cuda_.events(), 1 + 2);
  }
  stalls.reset();
  EXPECT_EQ(cuda_.events(), 1);
}

TEST_F(CudaStallsTest, AFailureIsSaidAndNothingMoreIsMeasured) {
  CudaStalls stalls(&cuda_, 8);
  EXPECT_TRUE(stalls.Wait(AfterCopy()).ok());
  Compute();
  const absl::Duration before = stalls.Total();
  cuda_.Break(700, "cudaErrorIllegalAddress");
  EXPECT_FALSE(stalls.Wait(event_).ok());
  EXPECT_EQ(stalls.Total(), before);
}

}  // namespace
}  // namespace hydra
