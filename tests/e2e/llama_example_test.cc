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
  const auto pairs =
      sweep_.TrainAlsoInOnePiece({/*jobs=*/8, /*steps=*/3, "32MiB",
                                  /*whole_memory=*/"512MiB",
                                  /*evaluations=*/1});
  ASSERT_EQ(pairs.size(), 8);
  for (const auto& [job, whole] : pairs) {
    SCOPED_TRACE(job.status().name());
    EXPECT_GE(job.partition().cut_points_size(), 1);
    for (const char* file : {"tokenizer.json", "tokenizer_config.json",
                             "special_tokens_map.json"}) {
      EXPECT_TRUE(ReadFile(absl::StrCat(job.output_path(), "/", file)) ==
                  ReadFile(absl::StrCat(sweep_.folder(), "/model/", file)))
          << file;
    }
  }
  EXPECT_EQ(
      DifferenceToPlainTraining(pairs.back().job, sweep_.folder() + "/model",
                                TrainingIds(), /*token_bytes=*/4),
      "");
}

}  // namespace
}  // namespace hydra
