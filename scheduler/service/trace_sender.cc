#include "scheduler/service/trace_sender.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "common/chain/split.h"
#include "common/status/proto_time.h"
#include "scheduler/core/job.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

// A time from the first of the target's tasks to the last.
struct Window {
  absl::Time begin = absl::InfiniteFuture();
  absl::Time end = absl::InfinitePast();

  // Of a task that reaches into it from before, nothing is shown.
  bool Has(const TaskTrace& task) const {
    return task.begun_at >= begin && task.begun_at <= end;
  }
};

class Sender {
 public:
  Sender(const TraceLog& log, const TraceTarget& target,
         absl::FunctionRef<bool(const v1::TraceResponse&)> send)
      : log_(log), target_(target), send_(send) {
    for (const v1::JobStatus& job : target.jobs) jobs_.insert(job.job_id());
  }

  bool Send() {
    FindWindow();
    return SendHead() && SendTasks() && SendDecisions();
  }

 private:
  bool IsTargets(JobId job) const { return jobs_.contains(JobName(job)); }

  void FindWindow() {
    uint64_t next = 0;
    while (true) {
      const TraceLog::Page<TaskTrace> page = log_.Tasks(next);
      if (page.entries.empty()) return;
      next = page.next;
      for (const TaskTrace& task : page.entries) {
        if (!IsTargets(task.job)) continue;
        window_.begin = std::min(window_.begin, task.begun_at);
        window_.end = std::max(window_.end, task.ended_at);
      }
    }
  }

  bool SendHead() {
    v1::TraceResponse head;
    head.mutable_jobs()->Assign(target_.jobs.begin(), target_.jobs.end());
    head.mutable_devices()->Assign(target_.devices.begin(),
                                   target_.devices.end());
    *head.mutable_complete_since() = ToProto(log_.complete_since());
    if (window_.begin <= window_.end) {
      *head.mutable_begin() = ToProto(window_.begin);
    }
    return send_(head);
  }

  bool SendTasks() {
    uint64_t next = 0;
    while (true) {
      const TraceLog::Page<TaskTrace> page = log_.Tasks(next);
      if (page.entries.empty()) return true;
      next = page.next;
      v1::TraceResponse some;
      for (const TaskTrace& task : page.entries) {
        if (window_.Has(task)) FillTask(task, *some.add_tasks());
      }
      if (!some.tasks().empty() && !send_(some)) return false;
    }
  }

  bool SendDecisions() {
    uint64_t next = 0;
    while (true) {
      const TraceLog::Page<DecisionTrace> page = log_.Decisions(next);
      if (page.entries.empty()) return true;
      next = page.next;
      v1::TraceResponse some;
      for (const DecisionTrace& decision : page.entries) {
        if (!IsTargets(decision.job)) continue;
        FillDecision(decision, *some.add_decisions());
      }
      if (!some.decisions().empty() && !send_(some)) return false;
    }
  }

  std::string DeviceOf(WorkerId worker) const {
    const uint64_t number = worker.value();
    return number == 0 || number > target_.devices.size()
               ? ""
               : target_.devices[number - 1];
  }

  Answer AnswerTo(JobId job) {
    if (IsTargets(job)) return Answer::kAllowed;
    const auto [answer, is_new] = others_.try_emplace(job);
    if (is_new) answer->second = target_.others(job);
    return answer->second;
  }

  void FillTask(const TaskTrace& task, v1::TracedTask& traced) {
    const Answer answer = AnswerTo(task.job);
    FillPlace(task, traced);
    traced.set_withheld(answer != Answer::kAllowed);
    traced.set_kind(KindName(task.kind));
    if (answer != Answer::kHidden) {
      traced.set_job_id(JobName(task.job));
      traced.set_shard(task.shard);
    }
    if (answer == Answer::kAllowed) FillWork(task, traced);
  }

  // What it was about, and what it took.
  static void FillWork(const TaskTrace& task, v1::TracedTask& traced) {
    traced.set_first_layer(task.layers.first);
    traced.set_last_layer(task.layers.last);
    traced.set_step(task.step);
    traced.set_first_micro_batch(task.first_micro_batch);
    traced.set_last_micro_batch(task.last_micro_batch);
    if (task.split != worker::v1::SPLIT_UNSPECIFIED) {
      traced.set_split(SplitName(task.split));
    }
    traced.set_outcome(task.outcome);
    if (task.handed_out_at != absl::InfinitePast()) {
      *traced.mutable_handed_out() = ToProto(task.handed_out_at);
    }
    *traced.mutable_compute() = ToProto(task.compute);
    *traced.mutable_copy() = ToProto(task.copy);
    traced.set_promoted_bytes(task.promoted_bytes);
    traced.set_demoted_bytes(task.demoted_bytes);
    traced.set_cached_bytes(task.cached_bytes);
    traced.set_peak_bytes(task.peak_bytes);
  }

  // Where and when it was, and what its device waited for before.
  void FillPlace(const TaskTrace& task, v1::TracedTask& traced) const {
    traced.set_device(DeviceOf(task.worker));
    *traced.mutable_begun() = ToProto(task.begun_at);
    *traced.mutable_ended() = ToProto(task.ended_at);
    for (const DeviceWait& wait : WaitsBefore(task)) {
      if (wait.end <= window_.begin) continue;
      v1::DeviceWait& shown = *traced.add_waits();
      shown.set_kind(wait.kind);
      *shown.mutable_begin() = ToProto(std::max(wait.begin, window_.begin));
      *shown.mutable_end() = ToProto(wait.end);
    }
  }

  void FillDecision(const DecisionTrace& decision,
                    v1::TracedDecision& traced) const {
    traced.set_kind(decision.kind);
    *traced.mutable_time() = ToProto(decision.at);
    traced.set_job_id(JobName(decision.job));
    traced.set_device(DeviceOf(decision.worker));
    traced.set_step(decision.step);
  }

  const TraceLog& log_;
  const TraceTarget& target_;
  const absl::FunctionRef<bool(const v1::TraceResponse&)> send_;
  absl::flat_hash_set<std::string> jobs_;
  absl::flat_hash_map<JobId, Answer> others_;
  Window window_;
};

}  // namespace

absl::Status SendTrace(const TraceLog& log, const TraceTarget& target,
                       absl::FunctionRef<bool(const v1::TraceResponse&)> send) {
  return Sender(log, target, send).Send()
             ? absl::OkStatus()
             : absl::CancelledError("the receiver went away");
}

}  // namespace hydra
