// examples/lora_chat, shortened: every job of its sweep completes on devices
// that are too small for its model, with one base for all of them, and is bit
// for bit the same by itself in one piece.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "common/file/scratch_directory.h"
#include "tests/e2e/example_sweep.h"

namespace hydra {
namespace {

TEST(LoraExampleTest, EveryJobOfTheSweepIsAsInOnePiece) {
  const ExampleSweep sweep("lora_chat", /*max_steps=*/60);
  const auto pairs =
      sweep.TrainAlsoInOnePiece({/*jobs=*/12, /*steps=*/3, "16MiB",
                                 /*whole_memory=*/"256MiB",
                                 /*evaluations=*/1});
  ASSERT_EQ(pairs.size(), 12);
  for (const auto& [job, whole] : pairs) {
    SCOPED_TRACE(job.status().name());
    EXPECT_GE(job.partition().cut_points_size(), 1);
    EXPECT_GT(job.pool_demand().base_bytes(), 0);
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
