// What checkpoints cost of the pool: the most bytes used while a job trains
// with a checkpoint at every step, and without any.

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <string>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "glog/logging.h"
#include "tests/chaos/figures.h"
#include "tests/e2e/cluster.h"
#include "tests/e2e/small_job.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

struct Options {
  int64_t steps = 200;
};

struct PoolUse {
  int64_t most_bytes = 0;
  int64_t samples = 0;
  double mean_bytes = 0;
  // Parameters and optimizer state.
  int64_t state_bytes = 0;
  int checkpoints = 0;
};

// As fast as the daemon answers: what is used between two answers is not seen.
PoolUse PoolUseOf(const v1::JobSpec& spec) {
  Cluster cluster(TwoDevices());
  const std::string id = cluster.Submit(spec);
  cluster.AwaitStep(id, 1);
  PoolUse use;
  v1::JobDetail job;
  while (true) {
    constexpr int kSamplesBetweenLooks = 50;
    for (int i = 0; i < kSamplesBetweenLooks; ++i) {
      const int64_t used = cluster.Info().pool_used_bytes();
      use.most_bytes = std::max(use.most_bytes, used);
      ++use.samples;
      use.mean_bytes += (used - use.mean_bytes) / use.samples;
    }
    job = cluster.Job(id);
    if (job.status().phase() == v1::JOB_PHASE_ENDED) break;
    use.state_bytes = job.pool_demand().committed_bytes();
  }
  CHECK_EQ(job.status().state(), v1::JOB_STATE_COMPLETED)
      << job.status().reason();
  use.checkpoints = job.checkpoints_size();
  return use;
}

FigureTable Measure(const Options& options) {
  v1::JobSpec spec = SmallJob(MakeSmallJobFiles(FreshDirectory()), {1, 2, 3});
  spec.mutable_train()->set_max_steps(options.steps);
  spec.mutable_evaluation()->set_eval_steps(0);
  spec.mutable_output()->set_save_model(false);
  spec.mutable_checkpoint()->set_every_minutes(0);
  const PoolUse without = PoolUseOf(spec);
  spec.mutable_checkpoint()->set_every_steps(1);
  const PoolUse with = PoolUseOf(spec);
  CHECK_GT(with.checkpoints, 0);
  CHECK_EQ(without.checkpoints, 0);
  const int64_t extra = with.most_bytes - without.most_bytes;
  FigureTable table;
  table.Add("samples without, with",
            absl::StrCat(without.samples, ", ", with.samples));
  table.Add("bytes of parameters and optimizer state",
            absl::StrCat(without.state_bytes));
  table.Add("most bytes of the pool, no checkpoints",
            absl::StrCat(without.most_bytes));
  table.Add("most bytes of the pool, one at every step",
            absl::StrCat(with.most_bytes));
  table.Add("mean bytes of the pool without, with",
            absl::StrFormat("%.0f, %.0f", without.mean_bytes, with.mean_bytes));
  table.Add("extra bytes, and their share of the state",
            absl::StrFormat("%d, %.2f", extra,
                            static_cast<double>(extra) / without.state_bytes));
  return table;
}

}  // namespace
}  // namespace hydra

int main(int argc, char** argv) {
  google::InitGoogleLogging(argv[0]);
  hydra::Options options;
  CLI::App app("Measures what checkpoints cost of the pool");
  app.add_option("--steps", options.steps, "of the job");
  CLI11_PARSE(app, argc, argv);
  std::cout << hydra::Measure(options).Text();
  return 0;
}
