// How much slower a job trains beside one that kills its worker whenever it
// runs, from its first step to its last; rounds alone and beside it take turns.

#include <iostream>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "glog/logging.h"
#include "tests/chaos/figures.h"
#include "tests/e2e/cluster.h"
#include "tests/e2e/small_job.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

struct Options {
  int rounds = 5;
  int64_t steps = 600;
};

absl::Time TimeOf(const v1::StepMetrics& step) {
  return absl::FromUnixSeconds(step.time().seconds()) +
         absl::Nanoseconds(step.time().nanos());
}

// Of a daemon of its own, with two devices. The poisonous job is the first one:
// every process that runs a forward pass of job 1 aborts.
double TrainingSeconds(const SmallJobFiles& files, int64_t steps,
                       bool beside_poison) {
  Cluster::Options options = TwoDevices();
  if (beside_poison) {
    options.environment = {"HYDRA_FAIL_POINTS=worker.forward/1=abort@1+"};
  }
  Cluster cluster(options);
  cluster.WorkerPids();
  v1::JobSpec spec = SmallJob(files, {1, 2, 3});
  std::string poison;
  if (beside_poison) poison = cluster.Submit(spec);
  spec.mutable_train()->set_max_steps(steps);
  spec.mutable_evaluation()->set_eval_steps(0);
  const v1::JobDetail job = cluster.Run(spec);
  CHECK_EQ(job.status().state(), v1::JOB_STATE_COMPLETED)
      << job.status().reason();
  CHECK_EQ(job.steps_size(), steps) << "--steps is too large for one answer";
  if (beside_poison) {
    const v1::JobStatus end = cluster.AwaitEnd(poison).status();
    CHECK(absl::StartsWith(end.reason(), "POISON")) << end.reason();
  }
  return absl::ToDoubleSeconds(TimeOf(job.steps(job.steps_size() - 1)) -
                               TimeOf(job.steps(0)));
}

FigureTable Measure(const Options& options) {
  const SmallJobFiles files = MakeSmallJobFiles(FreshDirectory());
  std::vector<double> alone;
  std::vector<double> beside;
  FigureTable table;
  for (int round = 1; round <= options.rounds; ++round) {
    alone.push_back(TrainingSeconds(files, options.steps, false));
    beside.push_back(TrainingSeconds(files, options.steps, true));
    table.Add(absl::StrCat("round ", round, ": s alone, beside it"),
              absl::StrFormat("%.2f, %.2f", alone.back(), beside.back()));
  }
  table.Add("median s alone, beside it",
            absl::StrFormat("%.2f, %.2f", Quantile(alone, 0.5),
                            Quantile(beside, 0.5)));
  table.Add(
      "times slower beside it, by the medians",
      absl::StrFormat("%.3f", Quantile(beside, 0.5) / Quantile(alone, 0.5)));
  return table;
}

}  // namespace
}  // namespace hydra

int main(int argc, char** argv) {
  google::InitGoogleLogging(argv[0]);
  hydra::Options options;
  CLI::App app("Measures a job beside one that always kills its worker");
  app.add_option("--rounds", options.rounds, "each once alone, once beside it");
  app.add_option("--steps", options.steps, "of the job, at most 1000");
  CLI11_PARSE(app, argc, argv);
  std::cout << hydra::Measure(options).Text();
  return 0;
}
