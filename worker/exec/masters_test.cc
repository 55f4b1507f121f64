// Training of parameters in bfloat16 with masters: the same bits however a
// model is cut, parameters that are what their masters round to, and updates as
// they are written down.

#include <cmath>
#include <cstring>
#include <ostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "gtest/gtest.h"
#include "worker/device/testing/test_device.h"
#include "worker/exec/task_runner.h"
#include "worker/exec/testing/tiny_job.h"
#include "worker/model/optimizer_kernel.h"

namespace hydra {
namespace {

using worker::v1::BLOCK_KIND_OPTIMIZER_STATE;
using worker::v1::BLOCK_KIND_PARAMETER_GRADIENT;
using worker::v1::BLOCK_KIND_PARAMETERS;
using worker::v1::SPLIT_VALIDATION;
using worker::v1::TaskReport;

constexpr int64_t kPlenty = int64_t{32} << 20;

struct Outcome {
  std::vector<double> losses;
  std::vector<std::byte> state;
};

struct Case {
  std::string name;
  hydra::v1::Optimizer optimizer = hydra::v1::OPTIMIZER_ADAMW;
  double momentum = 0;
  bool tied = true;
  std::vector<std::string> frozen = {};
};

std::ostream& operator<<(std::ostream& out, const Case& of) {
  return out << of.name;
}

// Of five layers: embedding, three blocks, head.
std::vector<Case> Cases() {
  return {
      {"AdamW"},
      {"AdamWUntied", hydra::v1::OPTIMIZER_ADAMW, 0, /*tied=*/false},
      {"Sgd", hydra::v1::OPTIMIZER_SGD},
      {"Momentum", hydra::v1::OPTIMIZER_SGD, 0.9},
      {"Lion", hydra::v1::OPTIMIZER_LION},
      {"Adafactor", hydra::v1::OPTIMIZER_ADAFACTOR},
      {"FrozenFirst",
       hydra::v1::OPTIMIZER_ADAMW,
       0,
       /*tied=*/false,
       {"*.w?e.*", "*.h.0.*"}},
      {"FrozenInPart",
       hydra::v1::OPTIMIZER_ADAMW,
       0,
       /*tied=*/true,
       {"*.mlp.*"}},
  };
}

TinyJob::Options OptionsOf(const Case& of) {
  TinyJob::Options options;
  options.trained_dtype = hydra::v1::PARAMETER_TYPE_BFLOAT16;
  options.optimizer = of.optimizer;
  options.momentum = of.momentum;
  options.tied = of.tied;
  options.frozen = of.frozen;
  if (!of.frozen.empty()) {
    options.frozen_dtype = hydra::v1::PARAMETER_TYPE_FLOAT16;
  }
  options.no_decay_biases_and_norms = true;
  options.dropout = 0.1;
  options.micro_batches = 3;
  return options;
}

int BlockCount(const TinyJob& job) {
  return static_cast<int>(job.table().parameter_blocks.size());
}

std::vector<uint16_t> ParametersOf(TinyJob& job, int block) {
  const absl::Span<float> slot = job.Slot(BLOCK_KIND_PARAMETERS, block);
  std::vector<uint16_t> parameters(2 * slot.size());
  std::memcpy(parameters.data(), slot.data(), slot.size() * sizeof(float));
  return parameters;
}

// The last part of the block's state.
std::vector<float> MasterOf(TinyJob& job, int block) {
  const absl::Span<float> state = job.Slot(BLOCK_KIND_OPTIMIZER_STATE, block);
  const int64_t count = job.table().parameter_blocks[block].element_count();
  EXPECT_GE(static_cast<int64_t>(state.size()), count);
  return {state.end() - count, state.end()};
}

std::vector<uint16_t> Rounded(const std::vector<float>& numbers) {
  std::vector<uint16_t> rounded(numbers.size());
  RoundToBFloat16(numbers.data(), static_cast<int64_t>(numbers.size()),
                  rounded.data());
  return rounded;
}

void ExpectParametersAreRoundedMasters(TinyJob& job) {
  int masters = 0;
  for (int block = 0; block < BlockCount(job); ++block) {
    if (!job.table().parameter_blocks[block].has_master()) continue;
    ++masters;
    EXPECT_EQ(ParametersOf(job, block), Rounded(MasterOf(job, block))) << block;
  }
  EXPECT_GT(masters, 0);
}

// Two steps and an evaluation.
Outcome Train(const TinyJob::Options& options, const std::vector<int>& cuts,
              bool overlapped = false) {
  TinyJob job(options, testing::TempDir());
  job.SetCuts(cuts);
  const auto device = NewTestDevice(kPlenty);
  TaskRunner runner(device.get(), job.pool().AsHostRange());
  job.Prepare();
  job.Init(runner);
  ExpectParametersAreRoundedMasters(job);
  Outcome outcome;
  for (int step = 0; step < 2; ++step) {
    outcome.losses.push_back(overlapped ? job.OverlappedStep(runner)
                                        : job.Step(runner));
  }
  job.Finish();
  ExpectParametersAreRoundedMasters(job);
  outcome.losses.push_back(job.Evaluate(runner, SPLIT_VALIDATION));
  outcome.state = job.State();
  return outcome;
}

void ExpectSame(const Outcome& actual, const Outcome& expected) {
  EXPECT_EQ(actual.losses, expected.losses);
  EXPECT_TRUE(actual.state == expected.state) << "parameters or state differ";
}

class MastersTest : public testing::TestWithParam<Case> {};

INSTANTIATE_TEST_SUITE_P(All, MastersTest, testing::ValuesIn(Cases()),
                         [](const auto& info) { return info.param.name; });

TEST_P(MastersTest, EveryPartitionGivesTheSameBits) {
  for (double max_grad_norm : {0.0, 0.01}) {
    TinyJob::Options options = OptionsOf(GetParam());
    options.max_grad_norm = max_grad_norm;
    const Outcome whole = Train(options, {});
    EXPECT_NE(whole.losses[0], whole.losses[1]);
    for (auto place :
         {hydra::v1::UPDATE_PLACE_HOST, hydra::v1::UPDATE_PLACE_DEVICE}) {
      SCOPED_TRACE(absl::StrCat("norm ", max_grad_norm, ", ",
                                hydra::v1::UpdatePlace_Name(place)));
      options.update_place = place;
      ExpectSame(Train(options, {2}), whole);
      ExpectSame(Train(options, {1, 4}, /*overlapped=*/true), whole);
      ExpectSame(Train(options, {1, 2, 3, 4}), whole);
      ExpectSame(Train(options, {1, 2, 3, 4}, /*overlapped=*/true), whole);
    }
  }
}

TEST_P(MastersTest, RoundsGiveTheSameBits) {
  for (double max_grad_norm : {0.0, 0.01}) {
    TinyJob::Options options = OptionsOf(GetParam());
    options.max_grad_norm = max_grad_norm;
    const Outcome whole = Train(options, {3});
    options.micro_batches_per_round = 2;
    ExpectSame(Train(options, {3}), whole);
    ExpectSame(Train(options, {1, 2, 3, 4}), whole);
  }
}

TEST_P(MastersTest, TwoPiecesAreTheSameAsOne) {
  const TinyJob::Options options = OptionsOf(GetParam());
  const Outcome whole = Train(options, {});
  ExpectSame(Train(options, {2}, /*overlapped=*/true), whole);
}

// What masters are for: steps that are smaller than what bfloat16 can tell
// apart add up.
TEST(MastersSmallStepsTest, AddUp) {
  TinyJob::Options options;
  options.trained_dtype = hydra::v1::PARAMETER_TYPE_BFLOAT16;
  options.optimizer = hydra::v1::OPTIMIZER_SGD;
  TinyJob job(options, testing::TempDir());
  job.context().mutable_spec()->mutable_train()->set_learning_rate(1e-4);
  const auto device = NewTestDevice(kPlenty);
  TaskRunner runner(device.get(), job.pool().AsHostRange());
  job.Prepare();
  job.Init(runner);
  constexpr int kBlock = 3;
  const std::vector<float> first = MasterOf(job, kBlock);
  job.Step(runner);
  const std::vector<float> second = MasterOf(job, kBlock);
  job.Step(runner);
  const std::vector<float> third = MasterOf(job, kBlock);
  int moved_twice = 0, told_apart = 0;
  for (size_t i = 0; i < first.size(); ++i) {
    moved_twice += first[i] != second[i] && second[i] != third[i];
    told_apart += Rounded({first[i]}) != Rounded({third[i]});
  }
  EXPECT_GT(moved_twice, static_cast<int>(first.size()) / 4);
  EXPECT_LT(told_apart, moved_twice / 4);
}

// SGD, written down: with the gradients that wait to be clipped, and are not.
TEST(MastersByHandTest, AnUpdateIsOfTheMasterInFloat32) {
  TinyJob::Options options;
  options.trained_dtype = hydra::v1::PARAMETER_TYPE_BFLOAT16;
  options.optimizer = hydra::v1::OPTIMIZER_SGD;
  options.max_grad_norm = 1e6;
  TinyJob job(options, testing::TempDir());
  job.SetCuts({1, 3});
  const auto device = NewTestDevice(kPlenty);
  TaskRunner runner(device.get(), job.pool().AsHostRange());
  job.Prepare();
  job.Init(runner);
  std::vector<std::vector<float>> masters, gradients;
  for (int block = 0; block < BlockCount(job); ++block) {
    masters.push_back(MasterOf(job, block));
  }
  for (int i = 0; i < job.TaskCount(); ++i) {
    const worker::v1::Task task = job.StepTask(i);
    if (task.kind() == worker::v1::TASK_KIND_UPDATE && gradients.empty()) {
      for (int block = 0; block < BlockCount(job); ++block) {
        const absl::Span<float> slot =
            job.Slot(BLOCK_KIND_PARAMETER_GRADIENT, block);
        gradients.emplace_back(slot.begin(), slot.end());
      }
    }
    const TaskReport report = job.Run(runner, task);
    ASSERT_FALSE(report.has_error()) << report.ShortDebugString();
    job.Commit(task);
  }
  ASSERT_EQ(gradients.size(), masters.size());
  // As TinyJob has them.
  const float rate = 0.01f, decay = 0.01f;
  for (int block = 0; block < BlockCount(job); ++block) {
    SCOPED_TRACE(block);
    std::vector<float>& expected = masters[block];
    ASSERT_EQ(gradients[block].size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      const float decayed = decay * expected[i];
      const float gradient = gradients[block][i] + decayed;
      const float step = rate * gradient;
      expected[i] -= step;
    }
    const std::vector<float> made = MasterOf(job, block);
    int different = 0;
    for (size_t i = 0; i < expected.size(); ++i) {
      // Numbers below the normal range are 0 there.
      different += std::abs(made[i] - expected[i]) > 1e-37f;
    }
    EXPECT_EQ(different, 0);
    EXPECT_EQ(ParametersOf(job, block), Rounded(made));
  }
}

}  // namespace
}  // namespace hydra
