#include "scheduler/core/worker_events.h"

#include <algorithm>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/status/proto_time.h"
#include "scheduler/core/records.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;

// Of a job's log, for the reason of its failure.
constexpr int kLastLines = 3;

std::string PoisonReason(const Job& job, const OutstandingTask& task,
                         absl::string_view how) {
  std::string reason = absl::StrCat(
      "POISON: its tasks killed a worker ", job.crashes_in_a_row,
      " times in a row, the last time ", KindName(task.task.kind), " of step ",
      task.task.step, ", layers [", task.task.layers.first, ", ",
      task.task.layers.last, "); the worker: ", how);
  if (!job.last_lines.empty()) {
    absl::StrAppend(&reason, "; the job's last lines: ",
                    absl::StrJoin(job.last_lines, " | "));
  }
  return reason;
}

}  // namespace

void WorkerEvents::Reported(WorkerRecord& worker,
                            const wv1::WorkerReport& report, absl::Time now) {
  if (!parts_.roster->TakeAttendance(worker, report, now)) return;
  worker.acknowledged.clear();
  absl::Status taken;
  for (const wv1::TaskReport& task : report.reports()) {
    taken = parts_.results->Take(worker, task, now);
    if (!taken.ok()) break;
    worker.acknowledged.push_back(task.task_id());
  }
  if (taken.ok()) taken = TakeHeld(worker, report, now);
  TakeLogLines(worker, report);
  if (!taken.ok()) {
    parts_.roster->Refuse(worker, taken, now);
  } else if (Roster::IsOfEarlierVersion(worker) && worker.hand.empty()) {
    parts_.roster->Replace(worker, now);
  }
}

absl::Status WorkerEvents::TakeHeld(WorkerRecord& worker,
                                    const wv1::WorkerReport& report,
                                    absl::Time now) {
  absl::flat_hash_map<uint64_t, const wv1::HeldTask*> held;
  for (const wv1::HeldTask& task : report.held()) {
    held[task.task_id()] = &task;
  }
  const std::deque<std::pair<JobId, TaskId>> hand = worker.hand;
  for (const auto& [job_id, task_id] : hand) {
    Job& job = parts_.book->At(job_id);
    for (size_t i = 0; i < job.outstanding.size(); ++i) {
      OutstandingTask& task = job.outstanding[i];
      if (task.id != task_id) continue;
      auto found = held.find(task_id.value());
      if (found != held.end()) {
        const wv1::HeldTask& said = *found->second;
        if (said.begun() && !task.begun) {
          task.begun_at =
              now - std::max(absl::ZeroDuration(), FromProto(said.running()));
          task.got_on_at = task.begun_at;
        }
        if (said.progress() > task.progress) {
          task.progress = said.progress();
          task.got_on_at = now;
        }
        task.begun = task.begun || said.begun();
        task.computed = task.computed || said.computed();
        // A begun task of a job that goes on is not withdrawn after all.
        if (task.begun && job.state() == v1::JOB_STATE_RUNNING && !task.stray) {
          task.withdrawing = false;
        }
      } else if (task.told_in > 0 &&
                 report.desired_sequence() >= task.told_in) {
        if (task.begun) {
          return absl::InternalError(
              absl::StrCat("it began task ", task_id.value(),
                           ", and neither holds nor reports it"));
        }
        // It was told, and is neither held nor reported: it was dropped.
        parts_.book->Trace(job, v1::DECISION_KIND_WITHDRAWN, now, worker.id);
        parts_.hands->Abandon(job, i);
        parts_.life->OutstandingChanged(job, now);
      }
      break;
    }
  }
  return absl::OkStatus();
}

void WorkerEvents::TakeLogLines(WorkerRecord& worker,
                                const wv1::WorkerReport& report) {
  const uint64_t before = worker.log_sequence;
  for (const wv1::JobLogLine& line : report.log_lines()) {
    if (line.sequence() <= worker.log_sequence) continue;
    worker.log_sequence = line.sequence();
    const JobId job(line.job_id());
    if (parts_.book->Find(job) == nullptr) continue;
    if (line.dropped_before() > 0) {
      parts_.actions->push_back(DroppedLines{job, line.dropped_before()});
    }
    v1::LogLine kept;
    *kept.mutable_time() = line.time();
    kept.set_severity(line.severity());
    kept.set_source(worker.device.name);
    kept.set_step(line.step());
    kept.set_task_id(line.task_id());
    kept.set_text(line.text());
    std::vector<std::string>& last = parts_.book->At(job).last_lines;
    last.push_back(line.text());
    if (last.size() > kLastLines) last.erase(last.begin());
    parts_.actions->push_back(LineForJob{job, std::move(kept)});
  }
  if (worker.log_sequence == before) return;
  parts_.actions->push_back(
      LogLinesTaken{worker.id, worker.session, worker.log_sequence});
}

void WorkerEvents::LogLinesKept(WorkerRecord& worker, absl::string_view session,
                                uint64_t sequence) {
  // The next process counts from one again.
  if (session != worker.session) return;
  worker.kept_log_sequence = std::max(worker.kept_log_sequence, sequence);
}

void WorkerEvents::Died(WorkerRecord& worker, absl::string_view how,
                        absl::Time now) {
  const bool blameless = worker.blameless;
  parts_.roster->Died(worker, how, now);
  TaskId computing;
  if (!worker.hand.empty()) {
    computing = parts_.hands->FirstToCompute(worker)
                    .value_or(worker.hand.front())
                    .second;
  }
  while (!worker.hand.empty()) {
    Job& job = parts_.book->At(worker.hand.front().first);
    // The one that it ran; of a job of which it ran none, the first one.
    OutstandingTask task = job.outstanding.front();
    for (const OutstandingTask& each : job.outstanding) {
      if (each.id == computing) task = each;
    }
    // Its word that it had begun it may not have reached us. What it had
    // computed and only wrote is blamed where it did nothing else.
    const bool begun = task.id == computing || (task.begun && !task.computed);
    job.totals.set_retried_tasks(job.totals.retried_tasks() +
                                 (begun || task.computed ? 1 : 0));
    const bool blamed = begun && !blameless;
    if (blamed) {
      ++job.crashes_in_a_row;
      job.crashed_on.insert(worker.id);
    }
    const bool fault = blamed || (begun && worker.contradicted_itself);
    if (fault) worker.deaths.push_back(job.id);
    parts_.book->Log(
        job, "W",
        absl::StrCat("worker ", worker.device.name, " died (", how, "); ",
                     begun || task.computed
                         ? "the task it ran runs again"
                         : "the task it held goes elsewhere"),
        now, &task);
    parts_.book->Trace(job, v1::DECISION_KIND_WORKER_DIED, now, worker.id);
    for (const OutstandingTask& lost : job.outstanding) {
      parts_.hands->ChargeLost(job, lost, now);
    }
    parts_.hands->Abandon(job, 0);
    if (job.in_chain()) parts_.journal->PoolJobChanged(job.id, PoolJobOf(job));
    if (blamed && job.state() == v1::JOB_STATE_RUNNING &&
        parts_.roster->IsPoisonous(job)) {
      parts_.life->End(job, v1::JOB_STATE_FAILED, PoisonReason(job, task, how),
                       now);
      parts_.roster->AcquitDevices(job.id);
      continue;
    }
    if (fault) parts_.roster->Blame(worker, job, how, now);
    parts_.life->OutstandingChanged(job, now);
  }
}

}  // namespace hydra
