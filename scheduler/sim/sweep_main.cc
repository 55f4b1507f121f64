// What a sweep of large models takes on some simulated devices behind links,
// with the real scheduler, beside other ways of training it:
//
//   bazel run -c opt //scheduler/sim:sweep_main -- --devices 8
//
// A pass takes two floating point operations for each parameter and token
// forward, four backward, and two to compute again what was not kept. Updates
// are the host's, so parameters come in for FORWARD and BACKWARD, and gradients
// leave.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/chain/job_shape.h"
#include "glog/logging.h"
#include "hydra/v1/job.pb.h"
#include "hydra/worker/v1/worker.pb.h"
#include "scheduler/core/new_job.h"
#include "scheduler/core/plan.h"
#include "scheduler/sim/sim_lanes.h"
#include "scheduler/sim/world.h"

namespace hydra {
namespace {

namespace wv1 = hydra::worker::v1;

struct Sweep {
  int devices = 8;
  int jobs = 12;
  int width = 1024;
  int layers = 76;
  int shards = 6;
  int batch = 8;
  int context = 512;
  int64_t steps = 20;
  double tflops = 10;
  double gigabytes_per_second = 12;
  double cache_gigabytes = 2;
  int lookahead = 1;
};

NewJob JobOf(const Sweep& sweep, int batch, int64_t steps) {
  NewJob job;
  job.model_config_json = absl::StrCat(
      R"({"model_type": "gpt2", "vocab_size": 50257, "n_positions": )",
      sweep.context, R"(, "n_embd": )", sweep.width, R"(, "n_layer": )",
      sweep.layers, R"(, "n_head": 16, "activation_function": "gelu_new",)",
      R"( "embd_pdrop": 0.0, "attn_pdrop": 0.0, "resid_pdrop": 0.0})");
  job.spec.set_name("swept");
  job.spec.mutable_evaluation()->set_per_device_eval_batch_size(batch);
  hydra::v1::TrainSpec& train = *job.spec.mutable_train();
  train.set_max_steps(steps);
  train.set_per_device_train_batch_size(batch);
  train.set_gradient_accumulation_steps(1);
  train.set_context_length(sweep.context);
  train.set_optim(hydra::v1::OPTIMIZER_ADAMW);
  absl::StatusOr<ModelTable> table = TableOf(job.spec, *job.model_config_json);
  CHECK(table.ok()) << table.status();
  for (int shard = 1; shard < sweep.shards; ++shard) {
    job.spec.mutable_partition()->add_cut_points(table->layer_count() * shard /
                                                 sweep.shards);
  }
  job.table = *std::move(table);
  return job;
}

// Half of the jobs have twice the batch, and half the steps.
std::vector<NewJob> JobsOf(const Sweep& sweep) {
  std::vector<NewJob> jobs;
  for (int i = 0; i < sweep.jobs; ++i) {
    jobs.push_back(i % 2 == 0 ? JobOf(sweep, sweep.batch, sweep.steps)
                              : JobOf(sweep, 2 * sweep.batch, sweep.steps / 2));
  }
  return jobs;
}

// A pass's, for each parameter and token.
double OperationsOf(wv1::TaskKind kind) {
  if (kind == wv1::TASK_KIND_FORWARD) return 2;
  return kind == wv1::TASK_KIND_BACKWARD || kind == wv1::TASK_KIND_TURN ? 6 : 0;
}

// The embedding, in a shard without the head.
bool IsGathered(const wv1::Task& task, const wv1::BlockVersion& block) {
  return block.kind() == wv1::BLOCK_KIND_PARAMETERS && block.index() == 0 &&
         task.kind() != wv1::TASK_KIND_TURN;
}

LaneTimes TimesOf(const Sweep& sweep) {
  LaneTimes times;
  times.compute = [sweep](const wv1::Task& task) {
    const int batch = sweep.batch * (task.job_id() % 2 == 1 ? 1 : 2);
    double parameters = 0;
    for (const wv1::BlockVersion& read : task.reads()) {
      if (read.kind() == wv1::BLOCK_KIND_PARAMETERS &&
          !IsGathered(task, read)) {
        parameters += read.size_bytes() / 4.0;
      }
    }
    return absl::Seconds(OperationsOf(task.kind()) * parameters * batch *
                         sweep.context / (sweep.tflops * 1e12));
  };
  times.gathered = IsGathered;
  times.bytes_per_second = sweep.gigabytes_per_second * 1e9;
  times.cache_bytes = static_cast<int64_t>(sweep.cache_gigabytes * 1e9);
  return times;
}

struct Outcome {
  double seconds = 0;
  // All devices together.
  double busy_seconds = 0;
  double moved_gigabytes = 0;
};

Outcome Run(const Sweep& sweep, const LaneTimes& times) {
  WorldOptions options;
  options.workers = sweep.devices;
  options.lookahead = sweep.lookahead;
  options.pool_bytes = int64_t{1} << 50;
  options.devices_have_own_memory = true;
  World world(options);
  world.setup().lanes = times;
  world.setup().trains_only = true;
  world.setup().token_count = int64_t{1} << 40;
  const absl::Time begin = world.now();
  world.Submit(JobsOf(sweep));
  world.RunUntilJobsEnd();
  Outcome outcome;
  outcome.seconds = absl::ToDoubleSeconds(world.now() - begin);
  for (int i = 0; i < sweep.devices; ++i) {
    outcome.busy_seconds += absl::ToDoubleSeconds(world.busy(i));
  }
  outcome.moved_gigabytes = static_cast<double>(world.moved_bytes()) / 1e9;
  return outcome;
}

// Of equal jobs that each take a machine for `seconds`.
double Makespan(int machines, int jobs, double seconds) {
  return (jobs + machines - 1) / machines * seconds;
}

void Print(const char* how, double seconds, double hydra) {
  std::printf("| %s | %.0f | %.2f |", how, seconds, seconds / hydra);
}

void Compare(const Sweep& sweep) {
  const LaneTimes times = TimesOf(sweep);
  LaneTimes naive = times;
  naive.copies_beside = false;
  naive.cache_bytes = 0;
  Sweep alone = sweep;
  alone.devices = 1;
  alone.lookahead = 0;
  Sweep one_by_one = sweep;
  one_by_one.lookahead = 0;
  // What computing takes.
  LaneTimes free_link = times;
  free_link.bytes_per_second = 1e18;
  const double compute = Run(alone, free_link).busy_seconds;

  const Outcome hydra = Run(sweep, times);
  const auto simulated = [&](const char* how, int devices,
                             const Outcome& outcome) {
    Print(how, outcome.seconds, hydra.seconds);
    std::printf(" %.0f%% | %.0f |\n",
                100 * outcome.busy_seconds / outcome.seconds / devices,
                outcome.moved_gigabytes);
  };
  const auto counted = [&](const char* how, double seconds) {
    Print(how, seconds, hydra.seconds);
    std::printf(" | |\n");
  };
  std::printf(
      "| | makespan, s | over Hydra's | devices have a task | GB moved |\n"
      "| --- | --- | --- | --- | --- |\n");
  simulated("Hydra", sweep.devices, hydra);
  simulated("Hydra, copies and computing one after another", sweep.devices,
            Run(one_by_one, naive));
  simulated("one model after another, spilled naively, on one device", 1,
            Run(alone, naive));
  counted("no schedule is shorter: all computing, shared evenly",
          compute / sweep.devices);
  // In one piece, nothing is computed again.
  Sweep whole = alone;
  whole.shards = 1;
  const double job = Run(whole, free_link).busy_seconds / sweep.jobs;
  counted("each model whole on one device, which would need room for it",
          Makespan(sweep.devices, sweep.jobs, job));
  counted("each model whole on two devices, of which one computes at a time",
          Makespan(std::max(1, sweep.devices / 2), sweep.jobs, job));
}

int Main(int argc, char** argv) {
  Sweep sweep;
  CLI::App app("Simulates a sweep of large models on devices behind links.");
  const auto option = [&](const char* name, auto& value, const char* text) {
    app.add_option(name, value, text)->capture_default_str();
  };
  option("--devices", sweep.devices, "devices");
  option("--jobs", sweep.jobs, "models");
  option("--width", sweep.width, "of a GPT-2");
  option("--layers", sweep.layers, "its blocks");
  option("--shards", sweep.shards, "equal ones, in layers");
  option("--batch", sweep.batch, "sequences; every second job has twice that");
  option("--context", sweep.context, "tokens in a sequence");
  option("--steps", sweep.steps, "even; every second job has half of that");
  option("--tflops", sweep.tflops, "that a device reaches");
  option("--link", sweep.gigabytes_per_second, "GB a second each way");
  option("--cache", sweep.cache_gigabytes, "GB beside the shard that computes");
  option("--lookahead", sweep.lookahead, "tasks held ahead");
  CLI11_PARSE(app, argc, argv);
  Compare(sweep);
  return 0;
}

}  // namespace
}  // namespace hydra

int main(int argc, char** argv) {
  google::InitGoogleLogging(argv[0]);
  FLAGS_logtostderr = true;
  return hydra::Main(argc, argv);
}
