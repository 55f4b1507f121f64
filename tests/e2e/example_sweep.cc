#include "tests/e2e/example_sweep.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "common/file/scratch_directory.h"
#include "tests/e2e/cluster.h"
#include "tests/e2e/outcome.h"

namespace hydra {

namespace fs = std::filesystem;

ExampleSweep::ExampleSweep(const std::string& name, int max_steps)
    : folder_(absl::StrCat(FreshDirectory(), "/", name)),
      max_steps_(max_steps) {
  fs::copy("examples/" + name, folder_, fs::copy_options::recursive);
}

std::vector<hydra::v1::JobDetail> ExampleSweep::Train(
    int steps, const std::string& memory, const std::string& more,
    const std::vector<std::string>& settings) const {
  std::string sweep = ReadFile(folder_ + "/sweep.yaml");
  EXPECT_EQ(absl::StrReplaceAll({{absl::StrCat("max_steps: ", max_steps_),
                                  absl::StrCat("max_steps: ", steps)}},
                                &sweep),
            1);
  const std::string path = folder_ + "/shortened.yaml";
  WriteFile(path, sweep + more);
  Cluster::Options options;
  options.devices = {"cpu:0=" + memory, "cpu:1=" + memory};
  options.settings = {"pool.size_bytes=1GiB"};
  options.settings.insert(options.settings.end(), settings.begin(),
                          settings.end());
  Cluster cluster(options);
  const ProgramResult submitted =
      RunProgram({"client/hydra", "--server", cluster.address(), "submit", "-o",
                  "id", path});
  EXPECT_EQ(submitted.code, 0) << submitted.output;
  const std::vector<std::string> ids =
      absl::StrSplit(submitted.output, '\n', absl::SkipEmpty());
  std::vector<hydra::v1::JobDetail> jobs;
  // The first id is the sweep's.
  for (size_t i = 1; i < ids.size(); ++i) {
    jobs.push_back(cluster.AwaitEnd(ids[i]));
  }
  EXPECT_EQ(cluster.AwaitEmptyPool(), 0);
  return jobs;
}

std::vector<ExampleSweep::Pair> ExampleSweep::TrainAlsoInOnePiece(
    const Comparison& wanted) const {
  std::vector<hydra::v1::JobDetail> jobs =
      Train(wanted.steps, wanted.memory, wanted.more, wanted.settings);
  std::vector<hydra::v1::JobDetail> whole =
      Train(wanted.steps, wanted.whole_memory, "partition: {shards: longest}\n",
            wanted.settings);
  EXPECT_EQ(jobs.size(), wanted.jobs);
  EXPECT_EQ(whole.size(), wanted.jobs);
  if (jobs.size() != whole.size()) return {};
  std::vector<Pair> pairs;
  for (size_t i = 0; i < jobs.size(); ++i) {
    const hydra::v1::JobDetail& job = jobs[i];
    SCOPED_TRACE(job.status().name());
    EXPECT_EQ(job.status().state(), hydra::v1::JOB_STATE_COMPLETED)
        << job.status().reason();
    if (job.status().state() != hydra::v1::JOB_STATE_COMPLETED) return {};
    EXPECT_EQ(job.warnings_size(), 0) << job.warnings(0);
    EXPECT_EQ(whole[i].partition().cut_points_size(), 0);
    const Outcome outcome = OutcomeOf(job);
    EXPECT_EQ(outcome.losses.size(), wanted.steps);
    EXPECT_EQ(outcome.evaluations.size(), wanted.evaluations);
    EXPECT_EQ(Difference(outcome, OutcomeOf(whole[i])), "");
    pairs.push_back({std::move(jobs[i]), std::move(whole[i])});
  }
  return pairs;
}

}  // namespace hydra
