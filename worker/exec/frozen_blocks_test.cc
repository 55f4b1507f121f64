// Passes over models of which some blocks are frozen, with adapters and
// without: the same bits however they are cut, and frozen blocks stay as they
// are.

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/device/testing/test_device.h"
#include "worker/exec/task_runner.h"
#include "worker/exec/testing/tiny_job.h"

namespace hydra {
namespace {

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
  std::vector<std::string> frozen;
  std::optional<hydra::v1::LoraSpec> lora;
  bool tied = true;
  hydra::v1::ParameterType frozen_dtype = hydra::v1::PARAMETER_TYPE_FLOAT32;
};

constexpr auto kInt8 = hydra::v1::PARAMETER_TYPE_INT8;

std::ostream& operator<<(std::ostream& out, const Case& of) {
  return out << of.name;
}

hydra::v1::LoraSpec Lora(const std::vector<std::string>& modules,
                         double dropout) {
  hydra::v1::LoraSpec lora;
  lora.set_r(3);
  lora.set_lora_dropout(dropout);
  for (const std::string& module : modules) lora.add_target_modules(module);
  return lora;
}

// Of five layers: embedding, three blocks, head.
std::vector<Case> Cases() {
  return {
      {"Lora", {}, Lora({"c_attn"}, 0)},
      {"LoraEverywhere", {}, Lora({"all-linear"}, 0.2)},
      {"LoraOfAnUntiedModel", {}, Lora({"c_fc", "c_proj"}, 0), false},
      {"LoraOfTheLastBlock", {}, Lora({"h.2.attn.c_attn"}, 0.2)},
      {"FirstLayers", {"*.w?e.*", "*.h.0.*"}, {}},
      {"FirstLayersOfAnUntiedModel", {"*.w?e.*", "*.h.[01].*"}, {}, false},
      {"AllButTheNorm", {"*.w?e.*", "*.h.*"}, {}},
      {"TheHead", {"lm_head.*"}, {}, false},
      {"OneInTheMiddle", {"*.h.1.*"}, {}},
      {"Tokens", {"*.wte.*"}, {}},
      {"PartsOfBlocks",
       {"*.w?e.*", "*.h.0.*", "*.h.1.mlp.*", "*.h.2.*.bias", "*.ln_f.bias"},
       {}},
      {"AllButBiases", {"*.weight"}, {}, false},
      {"LoraOnInt8", {}, Lora({"all-linear"}, 0.2), true, kInt8},
      {"LoraOnAnUntiedModelOfInt8", {}, Lora({"c_attn"}, 0), false, kInt8},
      {"PartsOfBlocksOfInt8",
       {"*.w?e.*", "*.h.0.*", "*.h.1.mlp.*", "*.h.2.*.bias", "*.ln_f.bias"},
       {},
       true,
       kInt8},
  };
}

class FrozenBlocksTest : public testing::TestWithParam<Case> {
 protected:
  static TinyJob::Options Options() {
    TinyJob::Options options;
    options.frozen = GetParam().frozen;
    options.lora = GetParam().lora;
    options.tied = GetParam().tied;
    options.frozen_dtype = GetParam().frozen_dtype;
    options.dropout = 0.1;
    options.micro_batches = 3;
    return options;
  }

  // Two steps and an evaluation.
  static Outcome Train(const TinyJob::Options& options,
                       const std::vector<int>& cuts, bool overlapped = false) {
    TinyJob job(options, testing::TempDir());
    job.SetCuts(cuts);
    const auto device = NewTestDevice(kPlenty);
    TaskRunner runner(device.get(), job.pool().AsHostRange());
    job.Prepare();
    job.Init(runner);
    const std::vector<std::vector<std::byte>> before = Frozen(job);
    Outcome outcome;
    for (int step = 0; step < 2; ++step) {
      outcome.losses.push_back(overlapped ? job.OverlappedStep(runner)
                                          : job.Step(runner));
    }
    job.Finish();
    outcome.losses.push_back(job.Evaluate(runner, SPLIT_VALIDATION));
    outcome.state = job.State();
    EXPECT_TRUE(Frozen(job) == before);
    return outcome;
  }

  static std::vector<std::vector<std::byte>> Frozen(TinyJob& job) {
    std::vector<std::vector<std::byte>> blocks;
    for (size_t i = 0; i < job.table().parameter_blocks.size(); ++i) {
      if (!job.table().parameter_blocks[i].frozen) continue;
      const absl::Span<float> slot =
          job.Slot(BLOCK_KIND_PARAMETERS, static_cast<int>(i));
      const auto* const bytes = reinterpret_cast<const std::byte*>(slot.data());
      blocks.emplace_back(bytes, bytes + slot.size() * sizeof(float));
    }
    EXPECT_FALSE(blocks.empty());
    return blocks;
  }

  static void ExpectSame(const Outcome& actual, const Outcome& expected) {
    EXPECT_EQ(actual.losses, expected.losses);
    EXPECT_TRUE(actual.state == expected.state) << "parameters or state differ";
  }
};

INSTANTIATE_TEST_SUITE_P(All, FrozenBlocksTest, testing::ValuesIn(Cases()),
                         [](const auto& info) { return info.param.name; });

TEST_P(FrozenBlocksTest, EveryPartitionGivesTheSameBits) {
  for (double max_grad_norm : {0.0, 0.01}) {
    for (auto place :
         {hydra::v1::UPDATE_PLACE_HOST, hydra::v1::UPDATE_PLACE_DEVICE}) {
      TinyJob::Options options = Options();
      options.max_grad_norm = max_grad_norm;
      options.update_place = place;
      const Outcome whole = Train(options, {});
      EXPECT_NE(whole.losses[0], whole.losses[1]);
      SCOPED_TRACE(absl::StrCat("norm ", max_grad_norm));
      ExpectSame(Train(options, {2}), whole);
      ExpectSame(Train(options, {1, 4}, /*overlapped=*/true), whole);
      ExpectSame(Train(options, {1, 2, 3, 4}), whole);
      ExpectSame(Train(options, {1, 2, 3, 4}, /*overlapped=*/true), whole);
    }
  }
}

TEST_P(FrozenBlocksTest, RoundsGiveTheSameBits) {
  for (double max_grad_norm : {0.0, 0.01}) {
    TinyJob::Options options = Options();
    options.max_grad_norm = max_grad_norm;
    const Outcome whole = Train(options, {3});
    options.micro_batches_per_round = 2;
    ExpectSame(Train(options, {3}), whole);
    ExpectSame(Train(options, {1, 2, 3, 4}), whole);
  }
}

TEST_P(FrozenBlocksTest, NothingOfAFrozenBlockGoesToTheHost) {
  TinyJob job(Options(), testing::TempDir());
  job.CutEverywhere();
  const auto device = NewTestDevice(kPlenty);
  TaskRunner runner(device.get(), job.pool().AsHostRange());
  job.Prepare();
  job.Init(runner);
  int backward = 0;
  for (int i = 0; i < job.TaskCount(); ++i) {
    const worker::v1::Task task = job.StepTask(i);
    const TaskReport report = job.Run(runner, task);
    ASSERT_FALSE(report.has_error()) << report.ShortDebugString();
    job.Commit(task);
    const auto& demoted = report.cost().demoted();
    int64_t written = 0;
    for (const worker::v1::BlockVersion& write : task.writes()) {
      EXPECT_FALSE(
          (write.kind() == BLOCK_KIND_PARAMETERS ||
           write.kind() == worker::v1::BLOCK_KIND_OPTIMIZER_STATE ||
           write.kind() == worker::v1::BLOCK_KIND_PARAMETER_GRADIENT) &&
          job.table().parameter_blocks[write.index()].frozen);
      written += write.size_bytes();
    }
    EXPECT_LE(demoted.parameters() + demoted.optimizer_state(), written);
    backward += task.kind() == worker::v1::TASK_KIND_BACKWARD;
  }
  EXPECT_EQ(backward,
            job.table().layer_count() - 1 - job.table().FirstTrainedLayer());
}

}  // namespace
}  // namespace hydra
