#include "scheduler/core/core.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/data/batch_plan.h"
#include "common/status/proto_time.h"
#include "glog/logging.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;

// Evaluation batches are numbered with 32 bits.
constexpr int64_t kMaxEvalBatches = int64_t{1} << 30;

// What is promised to jobs. The rest is for fragmentation: with real block
// sizes a best-fit pool needed up to 1.07 times its live bytes
// (docs/benchmarks.md).
int64_t PromisedBytes(int64_t pool_bytes) { return pool_bytes / 10 * 9; }

int64_t TokensOf(const Job& job, wv1::Split split) {
  for (const wv1::PreparedSplit& prepared : job.splits) {
    if (prepared.split() == split) return prepared.token_count();
  }
  return 0;
}

int64_t EvaluationBatches(const Job& job, wv1::Split split) {
  const int64_t windows =
      WindowCount(TokensOf(job, split), job.shape.context_length);
  const int64_t batches =
      EvaluationBatchCount(windows, job.shape.eval_batch_size);
  const int64_t most = job.submitted.spec.evaluation().max_eval_batches();
  return most > 0 ? std::min(most, batches) : batches;
}

// Whether it is a partition of this model; what a file said need not be.
bool Fits(const v1::Partition& partition, const ModelTable& table) {
  int last = 0;
  for (int cut : partition.cut_points()) {
    if (cut <= last || cut >= table.layer_count()) return false;
    last = cut;
  }
  return true;
}

// INVALID_ARGUMENT: the training split is shorter than one step, or an
//   evaluation has more batches than a task can number.
absl::StatusOr<ChainPlan> PlanOf(const Job& job) {
  const v1::TrainSpec& train = job.submitted.spec.train();
  const int64_t sequences =
      job.shape.micro_batch_size * job.shape.micro_batches;
  const int64_t tokens = TokensOf(job, wv1::SPLIT_TRAIN);
  const int64_t steps_per_epoch =
      StepsPerEpoch(WindowCount(tokens, job.shape.context_length), sequences);
  if (steps_per_epoch == 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the training split has ", tokens, " tokens; one step of ", sequences,
        " sequences of ", job.shape.context_length, " tokens needs ",
        sequences * job.shape.context_length + 1));
  }
  ChainPlan plan;
  plan.total_steps =
      train.has_max_steps()
          ? train.max_steps()
          : std::max<int64_t>(
                1, std::llround(train.num_train_epochs() * steps_per_epoch));
  plan.eval_steps = job.submitted.spec.evaluation().eval_steps();
  plan.validation_batches = EvaluationBatches(job, wv1::SPLIT_VALIDATION);
  plan.test_batches = EvaluationBatches(job, wv1::SPLIT_TEST);
  const int64_t batches = std::max(plan.validation_batches, plan.test_batches);
  if (batches > kMaxEvalBatches) {
    return absl::InvalidArgumentError(
        absl::StrCat("an evaluation would have ", batches, " batches; at most ",
                     kMaxEvalBatches, " are possible"));
  }
  return plan;
}

}  // namespace

Core::Core(Options options, Policy* policy, Journal* journal, Effects* effects)
    : options_(std::move(options)),
      policy_(policy),
      journal_(journal),
      effects_(effects),
      blocks_(options_.pool_first_byte, options_.pool_bytes),
      admission_(PromisedBytes(options_.pool_bytes), options_.devices.size(),
                 options_.lookahead) {
  for (const DeviceOptions& device : options_.devices) {
    WorkerRecord worker;
    worker.id = WorkerId(workers_.size() + 1);
    worker.device = device;
    workers_.push_back(std::move(worker));
  }
  for (const auto& [key, partition] : options_.partitions) {
    partitions_.Set(key, partition);
  }
}

Job& Core::JobOf(JobId job) {
  auto found = jobs_.find(job);
  CHECK(found != jobs_.end()) << "unknown job " << job;
  return found->second;
}

const Job* Core::FindJob(JobId job) const {
  auto found = jobs_.find(job);
  return found == jobs_.end() ? nullptr : &found->second;
}

std::vector<JobId> Core::JobsOf(SweepId sweep) const {
  auto found = sweeps_.find(sweep);
  return found == sweeps_.end() ? std::vector<JobId>{} : found->second;
}

std::vector<SweepId> Core::Sweeps() const {
  std::vector<SweepId> sweeps;
  for (const auto& [sweep, jobs] : sweeps_) sweeps.push_back(sweep);
  std::reverse(sweeps.begin(), sweeps.end());
  return sweeps;
}

absl::Status Core::CheckFits(const std::vector<NewJob>& jobs) const {
  for (const NewJob& job : jobs) {
    JobShape shape = MakeJobShape(job.spec, job.table);
    const auto& cuts = job.spec.partition().cut_points();
    shape.shards =
        ShardsOf({cuts.begin(), cuts.end()}, shape.table.layer_count());
    const absl::Status fits = admission_.CanEverFit(
        cuts.empty() ? LeastDemandOf(shape) : DemandOf(shape));
    if (!fits.ok()) {
      return absl::Status(fits.code(), absl::StrCat("job ", job.spec.name(),
                                                    ": ", fits.message()));
    }
  }
  return absl::OkStatus();
}

std::optional<SweepId> Core::SweepOf(const std::string& request_id) const {
  auto seen = requests_.find(request_id);
  if (seen == requests_.end()) return std::nullopt;
  return seen->second;
}

absl::StatusOr<SweepId> Core::Submit(std::vector<NewJob> jobs,
                                     const std::string& request_id,
                                     absl::Time now) {
  if (std::optional<SweepId> seen = SweepOf(request_id)) return *seen;
  if (stopping_) return absl::UnavailableError("the server is stopping");
  if (absl::Status fits = CheckFits(jobs); !fits.ok()) return fits;
  const SweepId sweep(sweeps_.size() + 1);
  if (!request_id.empty()) requests_[request_id] = sweep;
  std::vector<JobId>& ids = sweeps_[sweep];
  for (NewJob& submitted : jobs) {
    const JobId id(options_.first_job + jobs_.size());
    Job& job = jobs_[id];
    job.id = id;
    job.sweep = sweep;
    job.shape = MakeJobShape(submitted.spec, std::move(submitted.table));
    job.output_path = absl::StrCat(submitted.output_dir, "/", JobName(id), "-",
                                   submitted.spec.name());
    job.submitted = std::move(submitted);
    job.submitted_at = now;
    ids.push_back(id);
    journal_->JobSubmitted(id, sweep, request_id, job.submitted.spec);
  }
  for (JobId id : ids) Advance(JobOf(id), now);
  Dispatch(now);
  return sweep;
}

void Core::Log(const Job& job, const char* severity, absl::string_view text,
               absl::Time now, const OutstandingTask* task) {
  v1::LogLine line;
  *line.mutable_time() = ToProto(now);
  line.set_severity(severity);
  line.set_source("hydrad");
  line.set_step(task == nullptr ? -1 : task->task.step);
  line.set_task_id(task == nullptr ? 0 : task->id.value());
  line.set_text(std::string(text));
  effects_->LogForJob(job.id, line);
}

std::string Core::PrepareKey(const Job& job) const {
  // Within one sweep files are taken as unchanged; a later sweep looks again.
  return absl::StrCat(job.sweep.value(), "|",
                      job.submitted.spec.data().SerializeAsString(), "|",
                      job.submitted.spec.model().tokenizer_path(), "|",
                      job.shape.table.config.vocab_size);
}

std::string Core::PilotKey(const Job& job) const {
  const Gpt2Config& config = job.shape.table.config;
  int64_t limit = options_.devices.front().memory_limit_bytes;
  for (const DeviceOptions& device : options_.devices) {
    limit = std::min(limit, device.memory_limit_bytes);
  }
  return absl::StrCat(
      "gpt2 vocab=", config.vocab_size, " positions=", config.n_positions,
      " width=", config.n_embd, " layers=", config.n_layer,
      " heads=", config.n_head, " inner=", config.n_inner,
      " tied=", config.tie_word_embeddings, " dropout=", config.embd_pdrop, ",",
      config.attn_pdrop, ",", config.resid_pdrop,
      " batch=", job.shape.micro_batch_size,
      " micro_batches=", job.shape.micro_batches,
      " eval_batch=", job.shape.eval_batch_size,
      " context=", job.shape.context_length,
      " optimizer=", v1::Optimizer_Name(job.submitted.spec.train().optim()),
      " state=", job.shape.state_factor, " device=cpu limit=", limit,
      " prefetch=", options_.prefetch_bytes);
}

void Core::Enqueue(Job& job) {
  waiting_.erase(job.id);
  if (job.state == v1::JOB_STATE_PENDING) {
    job.reason = "waits for a free device";
    Touch(job);
  }
  policy_->Upsert(job.id, job.RemainingFrom(job.position));
}

void Core::WaitFor(Job& job, std::string reason) {
  waiting_.insert(job.id);
  if (job.state == v1::JOB_STATE_PENDING && job.reason == reason) return;
  job.state = v1::JOB_STATE_PENDING;
  job.reason = std::move(reason);
  Touch(job);
}

void Core::Advance(Job& job, absl::Time now) {
  while (!job.ended() && AdvanceOnce(job, now)) Touch(job);
}

// False: it waits, or is in the queue, or has ended.
bool Core::AdvanceOnce(Job& job, absl::Time now) {
  switch (job.phase) {
    case v1::JOB_PHASE_PREPARE:
      return AdvanceFromPrepare(job);
    case v1::JOB_PHASE_PILOT:
      return AdvanceFromPilot(job);
    case v1::JOB_PHASE_ADMISSION:
      return AdvanceFromAdmission(job, now);
    case v1::JOB_PHASE_INIT:
    case v1::JOB_PHASE_TRAIN:
    case v1::JOB_PHASE_EVALUATE:
      return AdvanceInChain(job, now);
    default:
      return false;
  }
}

bool Core::AdvanceFromPrepare(Job& job) {
  const std::string key = PrepareKey(job);
  if (!job.splits.empty() || prepared_.Find(key) != nullptr) {
    if (job.splits.empty()) job.splits = *prepared_.Find(key);
    job.phase = v1::JOB_PHASE_PILOT;
    return true;
  }
  const JobId owner = prepared_.Claim(key, job.id);
  if (owner != job.id) {
    WaitFor(job, absl::StrCat("waits for ", JobName(owner),
                              ", which prepares the same data"));
    return false;
  }
  Enqueue(job);
  return false;
}

bool Core::AdvanceFromPilot(Job& job) {
  if (!job.partition.has_value()) {
    const auto& given = job.submitted.spec.partition().cut_points();
    const std::string key = PilotKey(job);
    if (!given.empty()) {
      v1::Partition partition;
      *partition.mutable_cut_points() = given;
      partition.set_source("given");
      SetPartition(job, std::move(partition));
    } else if (const v1::Partition* known = partitions_.Find(key);
               known != nullptr && Fits(*known, job.shape.table)) {
      v1::Partition partition = *known;
      partition.set_source("reused");
      SetPartition(job, std::move(partition));
    } else if (const JobId owner = partitions_.Claim(key, job.id);
               owner != job.id) {
      WaitFor(job, absl::StrCat("waits for ", JobName(owner),
                                ", which finds the same cut points"));
      return false;
    } else {
      Enqueue(job);
      return false;
    }
  }
  job.phase = v1::JOB_PHASE_ADMISSION;
  return true;
}

void Core::SetPartition(Job& job, v1::Partition partition) {
  job.shape.shards =
      ShardsOf({partition.cut_points().begin(), partition.cut_points().end()},
               job.shape.table.layer_count());
  job.partition = std::move(partition);
  job.demand = DemandOf(job.shape);
}

bool Core::AdvanceFromAdmission(Job& job, absl::Time now) {
  const absl::StatusOr<ChainPlan> plan = PlanOf(job);
  if (!plan.ok()) {
    EndJob(job, v1::JOB_STATE_FAILED, std::string(plan.status().message()),
           now);
    return false;
  }
  job.plan = *plan;
  if (absl::Status fits = admission_.CanEverFit(*job.demand); !fits.ok()) {
    EndJob(job, v1::JOB_STATE_FAILED, std::string(fits.message()), now);
    return false;
  }
  // First come, first served: a small job does not slip past a large one.
  for (JobId other : waiting_) {
    if (other >= job.id) break;
    if (JobOf(other).phase == v1::JOB_PHASE_ADMISSION) {
      WaitFor(job, absl::StrCat("waits behind ", JobName(other),
                                " for room in the pool"));
      return false;
    }
  }
  if (absl::Status admitted = admission_.Admit(job.id, *job.demand);
      !admitted.ok()) {
    WaitFor(job, std::string(admitted.message()));
    return false;
  }
  waiting_.erase(job.id);
  job.reason.clear();
  const auto& layers = job.partition->layers();
  job.times.emplace(
      job.shape, std::vector<v1::LayerProfile>(layers.begin(), layers.end()));
  if (job.shape.state_factor > 0) {
    for (int i = 0; i < job.shape.table.parameter_blocks.size(); ++i) {
      blocks_.CommitZero(job.id, {wv1::BLOCK_KIND_OPTIMIZER_STATE, i, 0},
                         job.shape.StateBytes(i));
    }
  }
  Log(job, "I",
      absl::StrCat("admitted with ", job.demand->total_bytes(), " pool bytes; ",
                   job.shape.shard_count(), " shards, cut before layers [",
                   absl::StrJoin(job.partition->cut_points(), ", "), "] (",
                   job.partition->source(), "); ", job.plan.total_steps,
                   " steps"),
      now);
  job.phase = v1::JOB_PHASE_INIT;
  return true;
}

bool Core::AdvanceInChain(Job& job, absl::Time now) {
  if (job.position.done()) {
    BeginSaving(job, now);
  } else {
    job.phase = ChainPhase(job.position);
    Enqueue(job);
  }
  return false;
}

void Core::BeginSaving(Job& job, absl::Time now) {
  if (!job.submitted.spec.output().save_model()) {
    EndJob(job, v1::JOB_STATE_COMPLETED, "", now);
    return;
  }
  job.phase = v1::JOB_PHASE_SAVE;
  Touch(job);
  SaveRequest request;
  request.job = job.id;
  request.table = job.shape.table;
  request.model_config_json = job.submitted.model_config_json;
  request.tokenizer_dir = job.submitted.spec.model().tokenizer_path();
  request.output_path = job.output_path;
  request.detail = DetailOf(job, kAllSteps);
  for (int i = 0; i < job.shape.table.parameter_blocks.size(); ++i) {
    request.parameters.push_back(
        *blocks_.Find(job.id, {wv1::BLOCK_KIND_PARAMETERS, i, 0}));
  }
  effects_->SaveModel(request);
}

void Core::ModelSaved(JobId id, const absl::Status& status, absl::Time now) {
  Job& job = JobOf(id);
  // A job that was cancelled meanwhile holds its slots until now.
  if (job.phase != v1::JOB_PHASE_SAVE) return;
  if (job.state == v1::JOB_STATE_CANCELLED) {
    FinishEnding(job, now);
  } else if (status.ok()) {
    EndJob(job, v1::JOB_STATE_COMPLETED, "", now);
  } else {
    EndJob(job, v1::JOB_STATE_FAILED,
           absl::StrCat("writing the model: ", status.message()), now);
  }
  AdvanceWaiting(now);
  Dispatch(now);
}

void Core::AdvanceWaiting(absl::Time now) {
  while (std::exchange(waiting_may_go_on_, false)) {
    const std::vector<JobId> waiting(waiting_.begin(), waiting_.end());
    for (JobId id : waiting) {
      if (waiting_.erase(id) > 0) Advance(JobOf(id), now);
    }
  }
}

bool Core::Cancel(JobId id, absl::Time now) {
  Job& job = JobOf(id);
  if (job.state != v1::JOB_STATE_PENDING &&
      job.state != v1::JOB_STATE_RUNNING) {
    return false;
  }
  const bool saving = job.phase == v1::JOB_PHASE_SAVE;
  if (saving) {
    // The writer reads its slots until it answers.
    job.state = v1::JOB_STATE_CANCELLED;
    journal_->JobStateChanged(id, job.state, "cancelled");
    job.reason = "cancelled";
    Touch(job);
  } else {
    EndJob(job, v1::JOB_STATE_CANCELLED, "cancelled", now);
  }
  AdvanceWaiting(now);
  Dispatch(now);
  return true;
}

void Core::EndJob(Job& job, v1::JobState state, std::string reason,
                  absl::Time now) {
  job.state = state;
  job.reason = std::move(reason);
  policy_->Remove(job.id);
  waiting_.erase(job.id);
  waiting_may_go_on_ = true;
  prepared_.Abandon(PrepareKey(job), job.id);
  partitions_.Abandon(PilotKey(job), job.id);
  journal_->JobStateChanged(job.id, state, job.reason);
  Touch(job);
  if (job.outstanding.empty()) {
    FinishEnding(job, now);
  } else {
    Withdraw(job);
  }
}

void Core::FinishEnding(Job& job, absl::Time now) {
  job.phase = v1::JOB_PHASE_ENDED;
  job.ended_at = now;
  blocks_.EndAll(job.id);
  admission_.Release(job.id);
  waiting_may_go_on_ = true;
  Touch(job);
  const bool failed = job.state == v1::JOB_STATE_FAILED;
  Log(job, failed ? "E" : "I",
      absl::StrCat(v1::JobState_Name(job.state).substr(sizeof("JOB_STATE")),
                   job.reason.empty() ? "" : ": ", job.reason),
      now);
}

void Core::CheckInvariants() const {
  std::vector<Version> fresh;
  for (const auto& [id, job] : jobs_) {
    for (const OutstandingTask& task : job.outstanding) {
      CHECK(task.worker == job.outstanding.front().worker)
          << JobName(id) << " is in the hands of two workers";
      for (const auto& [key, version] : task.made) fresh.push_back(version);
    }
    if (job.ended()) CHECK(job.outstanding.empty()) << JobName(id);
  }
  blocks_.CheckInvariants(fresh);
  CHECK_LE(admission_.reserved_bytes(), options_.pool_bytes);
  for (const WorkerRecord& worker : workers_) {
    CHECK_LE(worker.hand.size(), HandSize());
    for (const auto& [job, task] : worker.hand) {
      const std::deque<OutstandingTask>& tasks = jobs_.at(job).outstanding;
      CHECK(std::any_of(tasks.begin(), tasks.end(),
                        [&, id = task](const OutstandingTask& t) {
                          return t.id == id && t.worker == worker.id;
                        }))
          << "task " << task << " is in a hand and belongs to no job";
    }
  }
}

}  // namespace hydra
