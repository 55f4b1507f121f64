// examples/lora_chat, shortened: every job of its sweep completes on devices
// that are too small for its model, with one base for all of them, and is bit
// for bit the same by itself in one piece.

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "common/file/scratch_directory.h"
#include "tests/e2e/cluster.h"
#include "tests/e2e/outcome.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
namespace v1 = hydra::v1;

constexpr int kSteps = 3;

class LoraExampleTest : public ::testing::Test {
 protected:
  // Bazel's own files are links, which lead out of the folder.
  LoraExampleTest() {
    fs::copy("examples/lora_chat", folder_, fs::copy_options::recursive);
  }

  // All jobs of the sweep, ended, with `more` behind the job file.
  std::vector<v1::JobDetail> Train(const std::string& memory,
                                   const std::string& more) const {
    std::string sweep = ReadFile(folder_ + "/sweep.yaml");
    EXPECT_EQ(
        absl::StrReplaceAll(
            {{"max_steps: 60", absl::StrCat("max_steps: ", kSteps)}}, &sweep),
        1);
    const std::string path = folder_ + "/shortened.yaml";
    WriteFile(path, sweep + more);
    Cluster::Options options;
    options.devices = {"cpu:0=" + memory, "cpu:1=" + memory};
    Cluster cluster(options);
    const ProgramResult submitted =
        RunProgram({"client/hydra", "--server", cluster.address(), "submit",
                    "-o", "id", path});
    EXPECT_EQ(submitted.code, 0) << submitted.output;
    const std::vector<std::string> ids =
        absl::StrSplit(submitted.output, '\n', absl::SkipEmpty());
    std::vector<v1::JobDetail> jobs;
    // The first id is the sweep's.
    for (size_t i = 1; i < ids.size(); ++i) {
      jobs.push_back(cluster.AwaitEnd(ids[i]));
    }
    EXPECT_EQ(cluster.AwaitEmptyPool(), 0);
    return jobs;
  }

  const std::string folder_ = FreshDirectory() + "/lora_chat";
};

TEST_F(LoraExampleTest, EveryJobOfTheSweepIsAsInOnePiece) {
  // README.md's devices.
  const std::vector<v1::JobDetail> jobs = Train("16MiB", "");
  const std::vector<v1::JobDetail> whole =
      Train("256MiB", "partition: {shards: longest}\n");
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
    EXPECT_EQ(adapter.at("base_model_name_or_path"), folder_ + "/model");
    EXPECT_EQ(adapter.at("r"), job.spec().lora().r());
    EXPECT_TRUE(ReadFile(job.output_path() + "/tokenizer.json") ==
                ReadFile(folder_ + "/model/tokenizer.json"));
  }
}

}  // namespace
}  // namespace hydra
