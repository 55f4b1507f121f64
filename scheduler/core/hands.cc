#include "scheduler/core/hands.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "common/data/data_format.h"
#include "common/model/loss_scale.h"
#include "common/status/proto_time.h"
#include "glog/logging.h"
#include "scheduler/core/job_move.h"
#include "scheduler/core/newest_versions.h"
#include "scheduler/core/next_task.h"
#include "scheduler/core/records.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;

wv1::Task WireTask(const Job& job, const OutstandingTask& task) {
  wv1::Task wire = ToMessage(task.task);
  wire.set_task_id(task.id.value());
  wire.set_job_id(job.id.value());
  return wire;
}

// What a task is taken to use of its device that nothing estimates, as long as
// it is out.
constexpr absl::Duration kUnmeasured = absl::Milliseconds(100);

absl::Duration PromisedTime(const Job& job, const OutstandingTask& task) {
  absl::Duration estimate;
  if (job.times.has_value() && task.position.has_value()) {
    estimate = job.times->Estimate(task.task);
  }
  return estimate > absl::ZeroDuration() ? estimate : kUnmeasured;
}

// Since it began, as far as anybody said so. A PREPARE leaves its device to
// others.
absl::Duration TimeSinceBegun(const OutstandingTask& task, absl::Time now) {
  const bool computes = task.begun && task.task.kind != wv1::TASK_KIND_PREPARE;
  return computes ? std::max(absl::ZeroDuration(), now - task.begun_at)
                  : absl::ZeroDuration();
}

// What was trained belongs to it, unless the user insists.
std::string ExpectedBase(const Job& job) {
  return job.restore_dir.empty() || job.insists ? "" : job.submitted.base_key;
}

bool NeedsLossScale(const Job& job, wv1::TaskKind kind) {
  return job.shape.scales_loss &&
         (kind == wv1::TASK_KIND_TURN || kind == wv1::TASK_KIND_UPDATE);
}

int64_t WrittenBytes(const ChainTask& task) {
  int64_t bytes = 0;
  for (const BlockWrite& write : task.writes) bytes += write.size_bytes;
  return bytes;
}

// Of a failed task before it, too, if it holds that one's slots.
int64_t WrittenBytes(const OutstandingTask& task) {
  int64_t bytes = 0;
  for (const auto& [key, version] : task.made) bytes += version.size_bytes;
  return bytes;
}

}  // namespace

std::optional<OutstandingTask> Hands::MakeTask(Job& job) {
  OutstandingTask task;
  if (job.phase() == v1::JOB_PHASE_PREPARE) {
    task.task.kind = wv1::TASK_KIND_PREPARE;
  } else if (job.phase() == v1::JOB_PHASE_PILOT) {
    task.task.kind = wv1::TASK_KIND_PILOT;
    task.task.layers = {0, job.shape.table->layer_count()};
  } else {
    task.position = job.NextPosition();
    task.task = NextTask(job, *parts_.blocks);
    if (!FitsBesideCheckpoint(job, task.task)) return std::nullopt;
  }
  task.id = TaskId(last_task_ + 1);
  task.wire = WireTask(job, task);
  if (task.task.kind == wv1::TASK_KIND_INIT) {
    task.wire.set_restore_dir(job.restore_dir);
  }
  if (NeedsLossScale(job, task.task.kind)) {
    const v1::TrainSpec& train = job.submitted.spec.train();
    task.wire.set_loss_scale(ScaleOf(job.loss_scale, train));
    task.wire.set_skipped_steps(job.loss_scale.skipped_steps());
  }
  const NewestVersions newest(*parts_.blocks, job);
  for (const BlockKey& key : task.task.reads) {
    const Version* version = newest.Find(key);
    CHECK(version != nullptr) << JobName(job.id) << " reads a missing block";
    FillVersion(key, *version, *task.wire.add_reads());
  }
  job.refused_write_bytes = 0;
  for (const BlockWrite& write : task.task.writes) {
    std::optional<Version> version = parts_.blocks->Make(write.size_bytes);
    if (!version.has_value()) {
      job.refused_write_bytes = WrittenBytes(task.task);
      for (const auto& [key, made] : task.made) parts_.blocks->Discard(made);
      return std::nullopt;
    }
    FillVersion(write.key, *version, *task.wire.add_writes());
    task.made.emplace_back(write.key, *version);
  }
  ++last_task_;
  return task;
}

// While its checkpoint is written, what a job replaces stays where it is. That
// may take the job's own largest write and what nobody was promised; past that,
// the job waits for the writer.
bool Hands::FitsBesideCheckpoint(const Job& job, const ChainTask& task) const {
  if (!job.writing.has_value()) return true;
  int64_t kept = parts_.blocks->kept_bytes(job.id);
  const int64_t kept_of_others = parts_.blocks->kept_bytes() - kept;
  for (const OutstandingTask& ahead : job.outstanding) {
    for (const auto& [key, version] : ahead.made) {
      const Version* replaced = parts_.blocks->Find(job.id, key);
      if (replaced != nullptr && parts_.blocks->pinned(*replaced)) {
        kept += version.size_bytes;
      }
    }
  }
  if (kept == 0) return true;
  int64_t fresh = 0;
  for (const BlockWrite& write : task.writes) {
    if (IsTrained(write.key)) fresh += write.size_bytes;
  }
  const int64_t spare = std::max<int64_t>(
      0, parts_.admission->spare_bytes() - kept_of_others - UnpromisedBytes());
  return kept + fresh <= job.demand->largest_write_bytes() + spare;
}

int64_t Hands::UnpromisedBytes() const {
  int64_t bytes = 0;
  for (const WorkerRecord& worker : parts_.roster->all()) {
    size_t place = 0;
    for (const auto& held : worker.hand) {
      const OutstandingTask& task = At(held);
      if (!task.computed && place++ >= PromisedSize()) {
        bytes += WrittenBytes(task);
      }
    }
  }
  return bytes;
}

bool Hands::HasSpareRoomFor(const Job& job) const {
  int64_t bytes = UnpromisedBytes();
  if (job.in_chain()) {
    bytes += WrittenBytes(NextTask(job, *parts_.blocks));
  }
  return bytes <= parts_.admission->spare_bytes() - parts_.blocks->kept_bytes();
}

Hands::Given Hands::HandOut(Job& job, WorkerRecord& worker, absl::Time now) {
  if (worker.hand.size() - ComputedTasks(worker) >= PromisedSize() &&
      !HasSpareRoomFor(job)) {
    return Given::kNoSpareRoom;
  }
  std::optional<OutstandingTask> task = MakeTask(job);
  if (!task.has_value()) return Given::kNoRoom;
  job.queued_since = absl::InfinitePast();
  task->worker = worker.id;
  task->handed_out_at = now;
  if (task->task.kind != wv1::TASK_KIND_PREPARE) {
    task->idle_since = std::exchange(worker.idle_since, absl::InfiniteFuture());
  }
  parts_.journal->TaskHandedOut(worker.id, task->wire);
  task->promised = PromisedTime(job, *task);
  parts_.shares->HandedOut(AccountOf(job), job.priority, task->promised, now);
  worker.hand.emplace_back(job.id, task->id);
  if (job.state() == v1::JOB_STATE_PENDING) {
    Move(job, v1::JOB_STATE_RUNNING, "");
    if (job.started_at == absl::InfinitePast()) job.started_at = now;
    parts_.book->NoteChange(job);
  }
  if (task->task.kind == wv1::TASK_KIND_FORWARD ||
      task->task.kind == wv1::TASK_KIND_TURN) {
    if (job.training_since == absl::InfinitePast()) {
      job.training_since = now;
      job.training_from_step = task->task.step;
    }
  }
  job.outstanding.push_back(*std::move(task));
  parts_.book->Touch(job);
  return Given::kYes;
}

void Hands::Restore(Job& job, OutstandingTask task) {
  parts_.roster->At(task.worker).hand.emplace_back(job.id, task.id);
  job.outstanding.push_back(std::move(task));
}

void Hands::Withdraw(Job& job) {
  for (OutstandingTask& task : job.outstanding) task.withdrawing = true;
}

void Hands::Disown(Job& job) {
  for (OutstandingTask& task : job.outstanding) {
    task.withdrawing = true;
    task.stray = true;
  }
}

void Hands::TakeOut(const Job& job, const OutstandingTask& task) {
  auto& hand = parts_.roster->At(task.worker).hand;
  hand.erase(
      std::find(hand.begin(), hand.end(), std::make_pair(job.id, task.id)));
  parts_.shares->TakeBack(AccountOf(job), task.promised);
  parts_.journal->TaskEnded(task.id);
}

void Hands::Charge(const Job& job, const wv1::TaskCost& cost, absl::Time now) {
  const OutstandingTask& task = job.outstanding.front();
  absl::Duration took = TimeSinceBegun(task, now);
  if (cost.has_wall() && task.task.kind != wv1::TASK_KIND_PREPARE) {
    took = std::max(absl::ZeroDuration(), FromProto(cost.wall()));
  }
  parts_.shares->Charge(AccountOf(job), took, now);
}

void Hands::ChargeLost(const Job& job, const OutstandingTask& task,
                       absl::Time now) {
  parts_.shares->Charge(AccountOf(job), TimeSinceBegun(task, now), now);
}

OutstandingTask Hands::Commit(Job& job) {
  OutstandingTask done = std::move(job.outstanding.front());
  job.outstanding.erase(job.outstanding.begin());
  TakeOut(job, done);
  for (const auto& [key, version] : done.made) {
    parts_.blocks->Commit(job.id, key, version);
  }
  for (const journal::v1::BlockRecord& record : ToRecords(done.made)) {
    parts_.journal->BlockChanged(job.id, record);
  }
  // A task ends a round's boundary as a whole: its record is that of its first
  // block.
  BlockKey before;
  for (const BlockKey& key : done.task.ends) {
    parts_.blocks->End(job.id, key);
    if (!FollowsInRecord(before, key)) parts_.journal->BlockErased(job.id, key);
    before = key;
  }
  return done;
}

OutstandingTask Hands::TakeFailed(Job& job) {
  OutstandingTask failed = std::move(job.outstanding.front());
  job.outstanding.erase(job.outstanding.begin());
  if (!job.outstanding.empty()) {
    OutstandingTask& next = job.outstanding.front();
    for (const auto& [key, version] : std::exchange(failed.made, {})) {
      next.made.emplace_back(key, version);
      FillVersion(key, version, *next.wire.add_writes());
    }
    parts_.journal->TaskHandedOut(next.worker, next.wire);
  }
  Release(job, failed);
  return failed;
}

void Hands::Release(const Job& job, const OutstandingTask& task) {
  TakeOut(job, task);
  for (const auto& [key, version] : task.made) parts_.blocks->Discard(version);
}

void Hands::Abandon(Job& job, size_t first) {
  while (job.outstanding.size() > first) {
    Release(job, job.outstanding.back());
    job.outstanding.pop_back();
  }
}

bool Hands::IsUnwanted(const Job& job, const OutstandingTask& task) const {
  if (!task.begun) return false;
  if (job.state() != v1::JOB_STATE_RUNNING || GoesBack(job.intent) ||
      task.stray) {
    return true;
  }
  // A step's tasks end, and are saved. These would begin again.
  const bool rests = Pauses(job.intent) || resting();
  return rests && (task.task.kind == wv1::TASK_KIND_PREPARE ||
                   task.task.kind == wv1::TASK_KIND_PILOT ||
                   task.task.kind == wv1::TASK_KIND_INIT);
}

wv1::JobContext Hands::ContextOf(const Job& job) const {
  wv1::JobContext context;
  context.set_job_id(job.id.value());
  *context.mutable_spec() = job.submitted.spec;
  context.set_model_config_json(*job.submitted.model_config_json);
  if (IsConversations(job.submitted.spec.data().format())) {
    context.set_chat_template(*job.submitted.chat_template);
    // However often it is prepared again.
    context.set_day(
        absl::FormatTime("%Y-%m-%d", job.submitted_at, absl::LocalTimeZone()));
  }
  context.mutable_splits()->Assign(job.splits.begin(), job.splits.end());
  context.set_token_cache_dir(parts_.options->token_cache_dir);
  context.set_prefetch_bytes(parts_.options->prefetch_bytes +
                             job.pilot_reserve_bytes);
  context.set_update_place(UpdatePlaceOf(job));
  context.set_base_key(ExpectedBase(job));
  if (const std::optional<uid_t> owner = job.owner.known()) {
    context.set_owner_user(*owner);
  }
  context.mutable_read_roots()->Assign(parts_.options->read_roots.begin(),
                                       parts_.options->read_roots.end());
  return context;
}

DesiredKey Hands::DesiredKeyOf(const WorkerRecord& worker) const {
  DesiredKey key;
  for (const auto& [job_id, task_id] : worker.hand) {
    for (const OutstandingTask& task : parts_.book->At(job_id).outstanding) {
      if (task.id == task_id && !task.withdrawing) key.tasks.push_back(task.id);
    }
  }
  key.acknowledged = worker.acknowledged;
  key.log_sequence = worker.kept_log_sequence;
  key.stop = stopping_;
  for (const auto& [job_id, task_id] : worker.hand) {
    const Job& job = parts_.book->At(job_id);
    for (const OutstandingTask& task : job.outstanding) {
      if (task.id == task_id && IsUnwanted(job, task)) {
        key.cancelled.push_back(task_id);
      }
    }
  }
  return key;
}

// All that may change of it.
std::string Hands::ContextContentOf(const Job& job) const {
  std::string content = absl::StrCat(
      job.pilot_reserve_bytes, " ", UpdatePlaceOf(job), " ", ExpectedBase(job));
  for (const wv1::PreparedSplit& split : job.splits) {
    absl::StrAppend(&content, "|", split.SerializeAsString());
  }
  return content;
}

void Hands::AddContexts(WorkerRecord& worker,
                        const absl::btree_set<JobId>& jobs,
                        wv1::DesiredState& desired) {
  for (JobId id : jobs) {
    const Job& job = parts_.book->At(id);
    const uint64_t number =
        worker.contexts.Need(id, ContextContentOf(job), &last_context_);
    if (worker.contexts.Has(id)) continue;
    wv1::JobContext& context = *desired.add_jobs();
    context = ContextOf(job);
    context.set_number(number);
  }
  const std::vector<uint64_t> kept = worker.contexts.EndMessage();
  desired.mutable_contexts()->Assign(kept.begin(), kept.end());
}

// Also notes, for each task, the first message that names it.
wv1::DesiredState Hands::MakeDesired(WorkerRecord& worker) {
  wv1::DesiredState desired;
  desired.set_sequence(worker.desired_sequence);
  absl::btree_set<JobId> jobs;
  for (const auto& [job_id, task_id] : worker.hand) {
    for (OutstandingTask& task : parts_.book->At(job_id).outstanding) {
      if (task.id != task_id) continue;
      if (IsUnwanted(parts_.book->At(job_id), task)) {
        task.told_to_stop = true;
        desired.add_cancelled_tasks(task_id.value());
      }
      if (task.withdrawing) continue;
      if (task.told_in == 0) task.told_in = worker.desired_sequence;
      *desired.add_tasks() = task.wire;
      jobs.insert(job_id);
    }
  }
  AddContexts(worker, jobs, desired);
  desired.mutable_acknowledged_tasks()->Assign(worker.acknowledged.begin(),
                                               worker.acknowledged.end());
  desired.set_acknowledged_log_sequence(worker.kept_log_sequence);
  desired.set_stop(stopping_);
  return desired;
}

void Hands::TellWorker(WorkerRecord& worker) {
  if (!worker.ready()) return;
  DesiredKey key = DesiredKeyOf(worker);
  if (key == worker.sent && !worker.must_send) return;
  ++worker.desired_sequence;
  parts_.actions->push_back(WorkerMessage{worker.id, MakeDesired(worker)});
  worker.sent = std::move(key);
  worker.must_send = false;
}

const OutstandingTask& Hands::At(const std::pair<JobId, TaskId>& held) const {
  const std::vector<OutstandingTask>& tasks =
      parts_.book->At(held.first).outstanding;
  const auto task = std::find_if(
      tasks.begin(), tasks.end(),
      [&](const OutstandingTask& each) { return each.id == held.second; });
  CHECK(task != tasks.end())
      << "task " << held.second << " is in a hand and belongs to no job";
  return *task;
}

std::optional<std::pair<JobId, TaskId>> Hands::FirstToCompute(
    const WorkerRecord& worker) const {
  for (const auto& held : worker.hand) {
    if (!At(held).computed) return held;
  }
  return std::nullopt;
}

size_t Hands::ComputedTasks(const WorkerRecord& worker) const {
  return std::count_if(worker.hand.begin(), worker.hand.end(),
                       [this](const auto& held) { return At(held).computed; });
}

bool Hands::HasToCompute(const WorkerRecord& worker) const {
  return std::any_of(
      worker.hand.begin(), worker.hand.end(), [this](const auto& held) {
        const OutstandingTask& task = At(held);
        return !task.computed && task.task.kind != wv1::TASK_KIND_PREPARE;
      });
}

void Hands::NoteIdle(absl::Time now) {
  for (WorkerRecord& worker : parts_.roster->all()) {
    if (worker.idle_since == absl::InfiniteFuture() && !HasToCompute(worker)) {
      worker.idle_since = now;
    }
  }
}

void Hands::TellWorkers() {
  for (WorkerRecord& worker : parts_.roster->all()) TellWorker(worker);
}

bool Hands::all_empty() const {
  return std::all_of(
      parts_.roster->all().begin(), parts_.roster->all().end(),
      [](const WorkerRecord& worker) { return worker.hand.empty(); });
}

absl::Duration Hands::LongestTime(const Job& job,
                                  const OutstandingTask& task) const {
  const bool measured = job.times.has_value() && task.position.has_value() &&
                        task.task.kind != wv1::TASK_KIND_INIT;
  if (!measured) return parts_.options->watchdog_unmeasured;
  return std::max(parts_.options->watchdog_floor,
                  parts_.options->watchdog_factor *
                      job.times->EstimateOfFullVisit(task.task));
}

void Hands::KillStuckTask(WorkerRecord& worker, absl::Time now) {
  if (!worker.ready()) return;
  // Any of its hand may be the begun one, after a restart of the daemon.
  for (const auto& [job_id, task_id] : worker.hand) {
    Job& job = parts_.book->At(job_id);
    OutstandingTask& task = job.outstanding.front();
    if (task.id != task_id || !task.begun ||
        now - task.got_on_at < LongestTime(job, task)) {
      continue;
    }
    parts_.book->Log(job, "W",
                     absl::StrCat("a task has not got on for ",
                                  absl::FormatDuration(now - task.got_on_at),
                                  ", and was given ",
                                  absl::FormatDuration(LongestTime(job, task)),
                                  "; its worker is killed"),
                     now, &task);
    // Once: the next one is another process.
    task.got_on_at = absl::InfiniteFuture();
    parts_.actions->push_back(WorkerKill{worker.id, "its task takes too long"});
  }
}

void Hands::KillStuckTasks(absl::Time now) {
  for (WorkerRecord& worker : parts_.roster->all()) KillStuckTask(worker, now);
}

std::vector<JobView> Hands::Jobs() const {
  absl::btree_set<JobId> ids;
  for (const WorkerRecord& worker : parts_.roster->all()) {
    for (const auto& [job, task] : worker.hand) ids.insert(job);
  }
  std::vector<JobView> jobs;
  for (JobId id : ids) {
    const Job& job = parts_.book->At(id);
    jobs.push_back(ViewAt(job, job.position));
  }
  return jobs;
}

}  // namespace hydra
