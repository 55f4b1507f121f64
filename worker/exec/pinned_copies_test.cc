// On a GPU a copy from or to memory that is not pinned is slow, and holds up
// the thread that issues operations. So whatever a task copies lies in the
// pool, which is pinned here from the start, or in one of the device's host
// buffers.

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "worker/device/cuda/testing/on_fake_cuda.h"
#include "worker/exec/task_runner.h"
#include "worker/exec/testing/tiny_job.h"

namespace hydra {
namespace {

using worker::v1::SPLIT_VALIDATION;

constexpr int64_t kLimit = int64_t{32} << 20;

struct Outcome {
  double loss = 0;
  std::vector<std::byte> state;
  int64_t copies = 0;
  int64_t unpinned_copies = 0;
};

Outcome Train(const TinyJob::Options& options, bool gives_host_memory) {
  TinyJob job(options, testing::TempDir());
  job.CutEverywhere();
  FakeCuda::Options cuda;
  cuda.gives_host_memory = gives_host_memory;
  CudaDevice::Options pinned = OnFakeCuda::OptionsOf(kLimit);
  pinned.host_memory = job.pool().all();
  pinned.slab_bytes = static_cast<int64_t>(pinned.host_memory.size());
  OnFakeCuda device(cuda, pinned);
  TaskRunner runner(&device, job.pool().AsHostRange());
  job.Prepare();
  job.Init(runner);
  Outcome outcome;
  outcome.loss = job.Step(runner) + job.OverlappedStep(runner);
  job.Finish();
  outcome.loss += job.Evaluate(runner, SPLIT_VALIDATION);
  outcome.state = job.State();
  outcome.copies = device.cuda().copies();
  outcome.unpinned_copies = device.cuda().unpinned_copies();
  return outcome;
}

struct Case {
  std::string name;
  TinyJob::Options options;
};

std::vector<Case> Cases() {
  Case plain{"Plain", {}};
  Case sums_rows{"SumsRows", {}};
  sums_rows.options.micro_batches = 4;
  Case clipped{"Clipped", {}};
  clipped.options.max_grad_norm = 1;
  Case on_device{"UpdatesOnDevice", {}};
  on_device.options.update_place = hydra::v1::UPDATE_PLACE_DEVICE;
  return {plain, sums_rows, clipped, on_device};
}

class PinnedCopiesTest : public testing::TestWithParam<Case> {};

INSTANTIATE_TEST_SUITE_P(All, PinnedCopiesTest, testing::ValuesIn(Cases()),
                         [](const testing::TestParamInfo<Case>& info) {
                           return info.param.name;
                         });

TEST_P(PinnedCopiesTest, AllMemoryThatIsCopiedIsPinned) {
  const Outcome outcome = Train(GetParam().options, true);
  EXPECT_GT(outcome.copies, 0);
  EXPECT_EQ(outcome.unpinned_copies, 0);
}

TEST_P(PinnedCopiesTest, WithoutPinnedBuffersTheBitsAreTheSame) {
  const Outcome pinned = Train(GetParam().options, true);
  const Outcome plain = Train(GetParam().options, false);
  EXPECT_GT(plain.unpinned_copies, 0);
  EXPECT_EQ(plain.loss, pinned.loss);
  EXPECT_TRUE(plain.state == pinned.state);
}

}  // namespace
}  // namespace hydra
