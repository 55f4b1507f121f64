#include "worker/device/cuda/testing/fake_cuda.h"

#include <cstring>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;

using Bytes = std::vector<std::byte>;

class FakeCudaTest : public testing::Test {
 protected:
  static FakeCuda::Options Late() {
    FakeCuda::Options options;
    options.unregistered_copies_wait = false;
    return options;
  }

  // Outlives the copies that are left at the end.
  Bytes host_ = Bytes(1000, std::byte{1});
  FakeCuda cuda_{Late()};
  const CudaStream first_ = cuda_.CreateStream().value();
  const CudaStream second_ = cuda_.CreateStream().value();
  const CudaEvent event_ = cuda_.CreateEvent().value();
  std::byte* const memory_ = cuda_.Malloc(1000).value();
};

TEST_F(FakeCudaTest, NothingIsDoneBeforeSomebodyWaits) {
  std::memset(memory_, 7, 1000);
  ASSERT_TRUE(cuda_.CopyToHost(first_, memory_, absl::MakeSpan(host_)).ok());
  ASSERT_TRUE(cuda_.RecordEvent(event_, first_).ok());
  EXPECT_THAT(host_, Each(std::byte{1}));
  EXPECT_TRUE(cuda_.SynchronizeStream(second_).ok());
  EXPECT_THAT(host_, Each(std::byte{1}));
  EXPECT_TRUE(cuda_.SynchronizeEvent(event_).ok());
  EXPECT_THAT(host_, Each(std::byte{7}));
  EXPECT_TRUE(cuda_.IsDone(event_).value());
}

TEST_F(FakeCudaTest, AskingBringsItOn) {
  ASSERT_TRUE(cuda_.CopyToDevice(first_, host_, memory_).ok());
  ASSERT_TRUE(cuda_.RecordEvent(event_, first_).ok());
  while (!cuda_.IsDone(event_).value()) {
  }
  EXPECT_EQ(memory_[999], std::byte{1});
}

TEST_F(FakeCudaTest, AStreamWaitsForWhatTheEventWasWhenItWasTold) {
  int order = 0;
  int at = 0;
  cuda_.Launch(first_, [&] { at = ++order; });
  ASSERT_TRUE(cuda_.RecordEvent(event_, first_).ok());
  ASSERT_TRUE(cuda_.MakeStreamWait(second_, event_).ok());
  cuda_.Launch(first_, [&] { order = 100; });
  ASSERT_TRUE(cuda_.RecordEvent(event_, first_).ok());
  int seen = 0;
  cuda_.Launch(second_, [&] { seen = ++order; });
  EXPECT_TRUE(cuda_.SynchronizeStream(second_).ok());
  EXPECT_EQ(at, 1);
  EXPECT_EQ(seen, 2);
  EXPECT_TRUE(cuda_.SynchronizeDevice().ok());
  EXPECT_EQ(order, 100);
}

TEST_F(FakeCudaTest, CopiesOfUnregisteredMemoryMayWait) {
  FakeCuda cuda;
  std::byte* const memory = cuda.Malloc(1000).value();
  std::memset(memory, 7, 1000);
  ASSERT_TRUE(
      cuda.CopyToHost(kComputeStream, memory, absl::MakeSpan(host_)).ok());
  EXPECT_THAT(host_, Each(std::byte{7}));
}

TEST_F(FakeCudaTest, CopiesMustNotCrossEdges) {
  const auto host = absl::MakeSpan(host_);
  ASSERT_TRUE(cuda_.RegisterHost(host.subspan(100, 200)).ok());
  ASSERT_TRUE(cuda_.RegisterHost(host.subspan(300, 100)).ok());
  for (auto [begin, bytes] : {std::pair{0, 101}, {299, 2}, {399, 2}, {0, 999}})
    EXPECT_THAT(cuda_.CopyToDevice(first_, host.subspan(begin, bytes), memory_)
                    .message(),
                HasSubstr("cudaErrorInvalidValue (1)"));
  for (auto [begin, bytes] :
       {std::pair{0, 100}, {100, 200}, {350, 50}, {400, 9}})
    EXPECT_TRUE(
        cuda_.CopyToDevice(first_, host.subspan(begin, bytes), memory_).ok());
  EXPECT_FALSE(cuda_.CopyToDevice(first_, host, memory_ + 1).ok());
  EXPECT_FALSE(cuda_.RegisterHost(host.subspan(399, 10)).ok());
  EXPECT_EQ(cuda_.registered_bytes(), 300);
}

TEST_F(FakeCudaTest, MemoryEnds) {
  EXPECT_EQ(cuda_.Malloc(int64_t{64} << 20).status().code(),
            absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(cuda_.Malloc(1 << 20).ok());
}

TEST_F(FakeCudaTest, ABrokenDeviceDoesNothingAnyMore) {
  ASSERT_TRUE(cuda_.CopyToHost(first_, memory_, absl::MakeSpan(host_)).ok());
  ASSERT_TRUE(cuda_.RecordEvent(event_, first_).ok());
  cuda_.Break(700, "cudaErrorIllegalAddress");
  EXPECT_THAT(cuda_.SynchronizeDevice().message(),
              HasSubstr("cudaErrorIllegalAddress (700)"));
  EXPECT_FALSE(cuda_.IsDone(event_).ok());
  EXPECT_FALSE(cuda_.CreateEvent().ok());
  EXPECT_THAT(host_, Each(std::byte{1}));
}

}  // namespace
}  // namespace hydra
