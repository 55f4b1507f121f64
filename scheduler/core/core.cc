#include "scheduler/core/core.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/data/batch_plan.h"
#include "common/status/proto_time.h"
#include "glog/logging.h"
#include "scheduler/core/plan.h"
#include "scheduler/core/records.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;

// What is promised to jobs. The rest is for fragmentation: with real block
// sizes a best-fit pool needed up to 1.07 times its live bytes
// (docs/benchmarks.md).
int64_t PromisedBytes(int64_t pool_bytes) { return pool_bytes / 10 * 9; }

// Numbers of one generation never meet those of another one.
constexpr int kGenerationShift = 40;

// Whether it is a partition of this model; what a file said need not be.
bool Fits(const v1::Partition& partition, const ModelTable& table) {
  int last = 0;
  for (int cut : partition.cut_points()) {
    if (cut <= last || cut >= table.layer_count()) return false;
    last = cut;
  }
  return true;
}

}  // namespace

Core::Core(Options options, Policy* policy, Journal* journal, Effects* effects)
    : options_(std::move(options)),
      policy_(policy),
      journal_(journal),
      effects_(effects),
      blocks_(options_.pool_first_byte, options_.pool_bytes,
              options_.generation << kGenerationShift),
      admission_(PromisedBytes(options_.pool_bytes), options_.devices.size(),
                 options_.lookahead),
      next_job_(options_.first_job),
      last_task_(options_.generation << kGenerationShift) {
  for (const DeviceOptions& device : options_.devices) {
    WorkerRecord worker;
    worker.id = WorkerId(workers_.size() + 1);
    worker.device = device;
    worker.desired_sequence = options_.generation << kGenerationShift;
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

std::optional<Core::Submission> Core::SubmissionOf(
    const std::string& request_id) const {
  auto seen = requests_.find(request_id);
  if (seen == requests_.end()) return std::nullopt;
  return seen->second;
}

absl::StatusOr<Core::Submission> Core::Submit(std::vector<NewJob> jobs,
                                              const std::string& request_id,
                                              absl::Time now) {
  if (std::optional<Submission> seen = SubmissionOf(request_id)) return *seen;
  if (stopping_ || parking_) {
    return absl::UnavailableError("the server is stopping");
  }
  if (absl::Status fits = CheckFits(jobs); !fits.ok()) return fits;
  Unrecorded entry;
  entry.sweep = SweepId(next_sweep_++);
  entry.request_id = request_id;
  journal::v1::SweepRecord record;
  record.set_request_id(request_id);
  Journal::SubmittedJobs records;
  entry.jobs.reserve(jobs.size());
  for (NewJob& submitted : jobs) {
    const JobId id(next_job_++);
    Job& job = entry.jobs.emplace_back();
    FillJob(id, entry.sweep, std::move(submitted), job);
    job.submitted_at = now;
    record.add_job_ids(id.value());
    records.emplace_back(id, SubmittedOf(job));
  }
  Submission submission{entry.sweep, 0};
  submission.sequence = journal_->Submitted(entry.sweep, record, records);
  if (!request_id.empty()) requests_[request_id] = submission;
  unrecorded_.emplace(submission.sequence, std::move(entry));
  return submission;
}

void Core::FillJob(JobId id, SweepId sweep, NewJob submitted, Job& job) {
  job.id = id;
  job.sweep = sweep;
  job.shape = MakeJobShape(submitted.spec, std::move(submitted.table));
  job.output_path = OutputPath(id, submitted.output_dir, submitted.spec.name());
  job.submitted = std::move(submitted);
}

void Core::Recorded(uint64_t sequence, absl::Time now) {
  journal_->Recorded(sequence);
  std::vector<JobId> begun;
  while (!unrecorded_.empty() && unrecorded_.begin()->first <= sequence) {
    Unrecorded entry = std::move(unrecorded_.begin()->second);
    unrecorded_.erase(unrecorded_.begin());
    for (Job& job : entry.jobs) {
      sweeps_[entry.sweep].push_back(job.id);
      begun.push_back(job.id);
      jobs_.emplace(job.id, std::move(job));
    }
  }
  if (begun.empty()) return;
  for (JobId id : begun) Advance(JobOf(id), now);
  Dispatch(now);
}

void Core::SubmissionRefused(uint64_t sequence) {
  auto refused = unrecorded_.find(sequence);
  if (refused == unrecorded_.end()) return;
  requests_.erase(refused->second.request_id);
  unrecorded_.erase(refused);
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

// The job's state, as clients see it and as a restart needs it, is another one.
void Core::NoteChange(Job& job) {
  journal_->JobChanged(job.id, ProgressOf(job));
  Touch(job);
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
  while (!job.ended() && job.state != v1::JOB_STATE_PAUSED &&
         AdvanceOnce(job, now)) {
    Touch(job);
  }
}

// False: it waits, or is in the queue, or pauses, or has ended.
bool Core::AdvanceOnce(Job& job, absl::Time now) {
  if (job.pause_requested && PauseHere(job, now)) return false;
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
    NoteChange(job);
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
  if (!CanResumeInPartition(job)) return true;
  job.phase = v1::JOB_PHASE_ADMISSION;
  NoteChange(job);
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
  if (!job.checkpoints.empty()) {
    job.plan.resume = FromRecord(job.checkpoints.back().position());
    job.restore_dir = job.checkpoints.back().info().path();
  }
  if (absl::Status fits = admission_.CanEverFit(*job.demand); !fits.ok()) {
    EndJob(job, v1::JOB_STATE_FAILED, std::string(fits.message()), now);
    return false;
  }
  // First come, first served: a small job does not slip past a large one.
  for (JobId other : waiting_) {
    if (other >= job.id) break;
    if (JobOf(other).phase == v1::JOB_PHASE_ADMISSION) {
      WaitFor(job, "waits behind earlier jobs for room in the pool");
      return false;
    }
  }
  if (absl::Status admitted =
          admission_.Admit(job.id, *job.demand, blocks_.kept_bytes());
      !admitted.ok()) {
    WaitFor(job, std::string(admitted.message()));
    return false;
  }
  waiting_.erase(job.id);
  job.reason.clear();
  BeginTimes(job);
  if (job.shape.state_factor > 0) {
    for (int i = 0; i < job.shape.table.parameter_blocks.size(); ++i) {
      const BlockKey key{wv1::BLOCK_KIND_OPTIMIZER_STATE, i, 0};
      blocks_.CommitZero(job.id, key, job.shape.StateBytes(i));
      journal_->BlockChanged(job.id, ToRecord(key, *blocks_.Find(job.id, key)));
    }
  }
  Log(job, "I",
      absl::StrCat("admitted with ", job.demand->total_bytes(), " pool bytes; ",
                   job.shape.shard_count(), " shards, cut before layers [",
                   absl::StrJoin(job.partition->cut_points(), ", "), "] (",
                   job.partition->source(), "); ", job.plan.total_steps,
                   " steps",
                   job.plan.resume.has_value()
                       ? absl::StrCat("; goes on from ", job.restore_dir)
                       : ""),
      now);
  job.phase = v1::JOB_PHASE_INIT;
  job.checkpointed_at = now;
  journal_->PoolJobChanged(job.id, PoolJobOf(job));
  NoteChange(job);
  return true;
}

void Core::BeginTimes(Job& job) {
  const auto& layers = job.partition->layers();
  job.times.emplace(
      job.shape, std::vector<v1::LayerProfile>(layers.begin(), layers.end()));
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
  save_again_.erase(job.id);
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
  } else if (absl::IsResourceExhausted(status)) {
    // The trained model stays in the pool until the disk has room.
    job.reason = absl::StrCat(
        "the model cannot be written, and will be tried "
        "again: ",
        status.message());
    Log(job, "W", job.reason, now);
    job.save_again_at = now + options_.save_retry;
    save_again_.insert(id);
    Touch(job);
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
    // Behind the first that does not fit, all wait: they may be thousands.
    bool pool_is_full = false;
    for (JobId id : waiting) {
      Job& job = JobOf(id);
      if (pool_is_full && job.phase == v1::JOB_PHASE_ADMISSION) continue;
      if (waiting_.erase(id) == 0) continue;
      Advance(job, now);
      pool_is_full = pool_is_full || (job.phase == v1::JOB_PHASE_ADMISSION &&
                                      waiting_.contains(id));
    }
  }
}

bool Core::Cancel(JobId id, bool delete_checkpoints, absl::Time now) {
  Job& job = JobOf(id);
  if (job.state != v1::JOB_STATE_PENDING &&
      job.state != v1::JOB_STATE_RUNNING && job.state != v1::JOB_STATE_PAUSED) {
    return false;
  }
  if (delete_checkpoints) {
    job.delete_checkpoints = true;
    while (!job.checkpoints.empty()) RemoveCheckpoint(job, 0);
  }
  const bool saving =
      job.phase == v1::JOB_PHASE_SAVE && save_again_.erase(id) == 0;
  if (saving) {
    // The writer reads its slots until it answers.
    job.state = v1::JOB_STATE_CANCELLED;
    job.reason = "cancelled";
    NoteChange(job);
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
  NoteChange(job);
  if (job.outstanding.empty()) {
    FinishEnding(job, now);
  } else {
    Withdraw(job);
  }
}

void Core::FinishEnding(Job& job, absl::Time now) {
  job.phase = v1::JOB_PHASE_ENDED;
  job.ended_at = now;
  LeavePool(job);
  NoteChange(job);
  const bool failed = job.state == v1::JOB_STATE_FAILED;
  Log(job, failed ? "E" : "I",
      absl::StrCat(v1::JobState_Name(job.state).substr(sizeof("JOB_STATE")),
                   job.reason.empty() ? "" : ": ", job.reason),
      now);
  Archive(job);
  NoteIfEnded(job.sweep);
}

void Core::Archive(Job& job) {
  job.shape = {};
  job.submitted.table = {};
  job.submitted.model_config_json = {};
  job.splits = {};
  job.times.reset();
  job.last_lines = {};
  with_steps_.push_back(job.id);
  while (with_steps_.size() > options_.kept_step_lists) {
    if (auto oldest = jobs_.find(with_steps_.front()); oldest != jobs_.end()) {
      oldest->second.KeepSummaryOnly();
    }
    with_steps_.pop_front();
  }
}

void Core::NoteIfEnded(SweepId sweep) {
  const std::vector<JobId>& jobs = sweeps_.at(sweep);
  if (!std::all_of(jobs.begin(), jobs.end(),
                   [&](JobId id) { return JobOf(id).ended(); })) {
    return;
  }
  ended_sweeps_.push_back(sweep);
  ended_jobs_ += jobs.size();
}

// Not while anybody holds a reference to a job.
void Core::ForgetOldSweeps() {
  while (!ended_sweeps_.empty()) {
    const SweepId oldest = ended_sweeps_.front();
    const std::vector<JobId>& jobs = sweeps_[oldest];
    const bool writing = std::any_of(jobs.begin(), jobs.end(),
                                     [&](JobId id) { return id == writing_; });
    if (writing || ended_jobs_ - static_cast<int64_t>(jobs.size()) <
                       options_.kept_ended_jobs) {
      return;
    }
    ended_jobs_ -= jobs.size();
    for (JobId id : jobs) jobs_.erase(id);
    sweeps_.erase(oldest);
    ended_sweeps_.pop_front();
  }
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
  CHECK_LE(blocks_.kept_bytes() == 0 ? admission_.reserved_bytes() : 0,
           options_.pool_bytes);
  CHECK(writing_ == JobId() || jobs_.at(writing_).writing.has_value());
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
