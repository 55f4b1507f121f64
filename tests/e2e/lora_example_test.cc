// examples/lora_chat, shortened: every job of its sweep completes on devices
// that are too small for its model, with one base for all of them, and is bit
// for bit the same by itself in one piece.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/file/scratch_directory.h"
#include "tests/e2e/example_sweep.h"
#include "tests/e2e/outcome.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

constexpr int kSteps = 3;

TEST(LoraExampleTest, EveryJobOfTheSweepIsAsInOnePiece) {
  const ExampleSweep sweep("lora_chat", /*max_steps=*/60);
  // README.md's devices.
  const std::vector<v1::JobDetail> jobs = sweep.Train(kSteps, "16MiB", "");
  const std::vector<v1::JobDetail> whole =
      sweep.Train(kSteps, "256MiB", "partition: {shards: longest}\n");
  ASSERT_EQ(jobs.size(), 12);
  ASSERT_EQ(whole.size(), 12);
  for (int i = 0; i < 12; ++i) {
    const v1::JobDetail& job = jobs[i];
    SCOPED_TRACE(job.status().name());
    ASSERT_EQ(job.status().state(), v1::JOB_STATE_COMPLETED)
        << job.status().reason();
    EXPECT_EQ(job.warnings_size(), 0) << job.warnings(0);
    EXPECT_GE(job.partition().cut_points_size(), 1);
    EXPECT_EQ(whole[i].partition().cut_points_size(), 0);
    EXPECT_GT(job.pool_demand().base_bytes(), 0);
    const Outcome outcome = OutcomeOf(job);
    EXPECT_EQ(outcome.losses.size(), kSteps);
    EXPECT_EQ(outcome.evaluations.size(), 1);
    EXPECT_EQ(Difference(outcome, OutcomeOf(whole[i])), "");
    const auto adapter = nlohmann::json::parse(
        ReadFile(job.output_path() + "/adapter_config.json"));
    EXPECT_EQ(adapter.at("base_model_name_or_path"), sweep.folder() + "/model");
    EXPECT_EQ(adapter.at("r"), job.spec().lora().r());
    EXPECT_TRUE(ReadFile(job.output_path() + "/tokenizer.json") ==
                ReadFile(sweep.folder() + "/model/tokenizer.json"));
  }
}

}  // namespace
}  // namespace hydra
