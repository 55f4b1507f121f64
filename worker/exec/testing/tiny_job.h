#ifndef HYDRA_WORKER_EXEC_TESTING_TINY_JOB_H_
#define HYDRA_WORKER_EXEC_TESTING_TINY_JOB_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "common/chain/block_key.h"
#include "common/chain/chain_task.h"
#include "common/chain/job_shape.h"
#include "common/chain/task_chain.h"
#include "common/model/model_table.h"
#include "hydra/checkpoint/v1/checkpoint.pb.h"
#include "hydra/worker/v1/worker.pb.h"
#include "worker/exec/block_io.h"
#include "worker/exec/log_sink.h"
#include "worker/exec/task_runner.h"
#include "worker/model/architectures.h"
#include "worker/task/task_control.h"

namespace hydra {

// Keeps what was logged.
class RecordingLog : public LogSink {
 public:
  void Log(Severity severity, std::string text) override {
    if (severity == Severity::kWarning) warnings.push_back(text);
    lines.push_back(std::move(text));
  }
  std::vector<std::string> lines;
  // Those of the lines that are warnings.
  std::vector<std::string> warnings;
};

// Host memory in place of a pool file. Every slot is fresh and full of NaNs, so
// what nobody wrote is seen.
class HostPool {
 public:
  explicit HostPool(int64_t bytes);

  int64_t Allocate(int64_t bytes);
  absl::Span<std::byte> Range(int64_t offset, int64_t bytes);
  // What all slots lie in.
  absl::Span<std::byte> all() { return absl::MakeSpan(memory_); }
  HostRange AsHostRange();

 private:
  std::vector<std::byte> memory_;
  int64_t base_ = 0;
  int64_t used_ = 0;
};

// Plays the scheduler for one job with a tiny GPT-2: makes the tasks of its
// chain, runs each with a TaskRunner, and commits what they report. Training
// data are random.
class TinyJob {
 public:
  struct Options {
    int64_t layers = 3;
    int64_t width = 32;
    int64_t vocabulary = 97;
    bool tied = true;
    double dropout = 0;
    hydra::v1::Optimizer optimizer = hydra::v1::OPTIMIZER_ADAMW;
    double momentum = 0;
    bool no_decay_biases_and_norms = false;
    double max_grad_norm = 0;
    bool bf16 = false;
    // With a loss that is scaled, at first by this.
    bool fp16 = false;
    double loss_scale = 65536;
    int loss_scale_growth_interval = 2000;
    double label_smoothing = 0;
    int sequences = 2;
    int evaluation_sequences = 3;
    int context = 24;
    int micro_batches = 1;
    // At most; 0: all of them.
    int micro_batches_per_round = 0;
    int64_t prefetch_bytes = 0;
    hydra::v1::UpdatePlace update_place = hydra::v1::UPDATE_PLACE_HOST;
    // See hydra.v1.ModelSpec and JobSpec.
    std::vector<std::string> frozen;
    hydra::v1::ParameterType frozen_dtype = hydra::v1::PARAMETER_TYPE_FLOAT32;
    hydra::v1::ParameterType trained_dtype = hydra::v1::PARAMETER_TYPE_FLOAT32;
    std::optional<hydra::v1::LoraSpec> lora;
    // Another model than that GPT-2, whose vocabulary is `vocabulary`, and for
    // which `layers`, `tied` and the like do not count; and what trains it,
    // which the TaskRunner must be given too. Of one that is fed examples,
    // `context` is 1. One that takes sequences whole has rows of random length
    // with classes, or a text.
    std::string config_json;
    Architectures architectures;
    // The directory of that model, to begin with its weights; empty: they are
    // random.
    std::string model_path;
  };

  // `directory` is for data files.
  TinyJob(const Options& options, const std::string& directory);

  // Fatal unless they succeed.
  void Prepare();
  void Init(TaskRunner& runner);
  // Mean loss of the step, as the daemon finds it in its tasks' reports.
  static double MeanLoss(const std::vector<worker::v1::TaskReport>& reports);
  double Step(TaskRunner& runner);
  // The same, with the reports of all its tasks, in order.
  std::vector<worker::v1::TaskReport> StepReports(TaskRunner& runner);
  // The same, up to a task for which the device has no room, if there is one:
  // its report is the last one then, and there is no further step.
  std::vector<worker::v1::TaskReport> TryStep(TaskRunner& runner);
  // As Step, as a worker runs the tasks that holds the next task while one
  // computes: what a task made is on its way to the host while the next one
  // runs, and after the step, until Finish.
  double OverlappedStep(TaskRunner& runner);
  // Waits for all of that.
  void Finish();
  double Evaluate(TaskRunner& runner, worker::v1::Split split);

  worker::v1::TaskReport Pilot(TaskRunner& runner);

  // The first layer of each shard but the first.
  void SetCuts(const std::vector<int>& cuts);
  void CutEverywhere();

  // The tasks of the next step, in order; each may be made once those before it
  // are committed.
  int TaskCount() const { return TasksPerStep(shape_); }
  worker::v1::Task StepTask(int index);
  worker::v1::Task EvaluateTask(worker::v1::Split split, int shard, int first,
                                int last);
  worker::v1::TaskReport Run(TaskRunner& runner, const worker::v1::Task& task);
  void Commit(const worker::v1::Task& task);

  // The committed version of a parameter block or of its state, in the pool.
  // Writing there goes unnoticed by a device cache that has it.
  absl::Span<float> Slot(worker::v1::BlockKind kind, int block);

  // What lies in the version's slot.
  std::vector<std::byte> BytesOf(const worker::v1::BlockVersion& version);

  // The newest committed version of every block.
  std::vector<worker::v1::BlockVersion> Committed() const;

  // All bytes of all parameters and optimizer state.
  std::vector<std::byte> State();

  HostPool& pool() { return pool_; }
  worker::v1::JobContext& context() { return context_; }
  const ModelTable& table() const { return *shape_.table; }
  RecordingLog& log() { return log_; }
  // The one of the task that runs, or ran last.
  TaskControl& control() { return *control_; }
  // Of the next step; 1 without fp16.
  double loss_scale() const;
  int shard_count() const { return shape_.shard_count(); }
  const JobShape& shape() const { return shape_; }

 private:
  // In place of the token files.
  void UseExamples(const ExampleInput& input);
  void UseTexts();
  // That an evaluation of the split goes through.
  int64_t WindowsOfSplit(worker::v1::Split split) const;
  worker::v1::Task NewTask(const ChainTask& task);
  // What it reads must be committed; what it makes has slots from now on.
  worker::v1::Task WithVersions(const ChainTask& task);
  worker::v1::TaskReport RunToCommit(TaskRunner& runner,
                                     const worker::v1::Task& task);
  // The scale of the next one's loss follows from the norm of the gradients.
  void EndStep();
  void NoteNorm(const worker::v1::TaskReport& report);

  const Options options_;
  const std::string directory_;
  HostPool pool_;
  worker::v1::JobContext context_;
  RecordingLog log_;
  std::vector<TaskRunner::Computed> unfinished_;
  std::optional<TaskControl> control_;
  JobShape shape_;
  int64_t step_ = 0;
  checkpoint::v1::LossScale loss_scale_;
  // Of the step under way.
  std::optional<double> grad_norm_;
  uint64_t last_task_ = 0;
  uint64_t last_version_ = 0;
  std::map<BlockKey, worker::v1::BlockVersion> committed_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_TESTING_TINY_JOB_H_
