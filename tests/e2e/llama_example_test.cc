// examples/llama_jsonl, shortened: every job of its sweep completes on devices
// that are too small for its model, and is bit for bit the same in one piece.

#include <gtest/gtest.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "common/file/scratch_directory.h"
#include "tests/e2e/cluster.h"
#include "tests/e2e/example_sweep.h"
#include "tests/e2e/outcome.h"
#include "worker/data/text_tokenizer.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

constexpr int kSteps = 3;

class LlamaExampleTest : public ::testing::Test {
 protected:
  // The ids of all rows, as a file of little-endian uint32.
  std::string TrainingIds() const {
    const auto tokenizer =
        TextTokenizer::Load(sweep_.folder() + "/model").value();
    std::vector<uint32_t> ids;
    const std::string rows = ReadFile(sweep_.folder() + "/data/train.jsonl");
    for (absl::string_view row :
         absl::StrSplit(rows, '\n', absl::SkipEmpty())) {
      tokenizer->Encode(
          nlohmann::json::parse(row).at("text").get<std::string>(), &ids);
      ids.push_back(tokenizer->end_of_text_id().value());
    }
    const std::string path = FreshDirectory() + "/ids";
    WriteFile(path, {reinterpret_cast<const char*>(ids.data()),
                     ids.size() * sizeof(ids[0])});
    return path;
  }

  const ExampleSweep sweep_{"llama_jsonl", /*max_steps=*/40};
};

TEST_F(LlamaExampleTest, EveryJobOfTheSweepIsAsInOnePiece) {
  // README.md's devices.
  const std::vector<v1::JobDetail> jobs = sweep_.Train(kSteps, "32MiB", "");
  const std::vector<v1::JobDetail> whole =
      sweep_.Train(kSteps, "512MiB", "partition: {shards: longest}\n");
  ASSERT_EQ(jobs.size(), 8);
  ASSERT_EQ(whole.size(), 8);
  for (int i = 0; i < 8; ++i) {
    const v1::JobDetail& job = jobs[i];
    SCOPED_TRACE(job.status().name());
    ASSERT_EQ(job.status().state(), v1::JOB_STATE_COMPLETED)
        << job.status().reason();
    EXPECT_EQ(job.warnings_size(), 0) << job.warnings(0);
    EXPECT_GE(job.partition().cut_points_size(), 1);
    EXPECT_EQ(whole[i].partition().cut_points_size(), 0);
    const Outcome outcome = OutcomeOf(job);
    EXPECT_EQ(outcome.losses.size(), kSteps);
    EXPECT_EQ(outcome.evaluations.size(), 1);
    EXPECT_EQ(Difference(outcome, OutcomeOf(whole[i])), "");
    for (const char* file : {"tokenizer.json", "tokenizer_config.json",
                             "special_tokens_map.json"}) {
      EXPECT_TRUE(ReadFile(absl::StrCat(job.output_path(), "/", file)) ==
                  ReadFile(absl::StrCat(sweep_.folder(), "/model/", file)))
          << file;
    }
  }
  EXPECT_EQ(DifferenceToPlainTraining(jobs.back(), sweep_.folder() + "/model",
                                      TrainingIds(), /*token_bytes=*/4),
            "");
}

}  // namespace
}  // namespace hydra
