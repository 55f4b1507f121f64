#include "scheduler/http/recent_trace.h"

#include <deque>

#include "absl/container/flat_hash_map.h"
#include "common/status/proto_time.h"
#include "scheduler/core/job.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

std::deque<TaskTrace> NewestTasks(const TraceLog& log, absl::Time since,
                                  size_t most) {
  std::deque<TaskTrace> tasks;
  uint64_t next = 0;
  while (true) {
    const TraceLog::Page<TaskTrace> page = log.Tasks(next);
    if (page.entries.empty()) return tasks;
    next = page.next;
    for (const TaskTrace& task : page.entries) {
      if (task.ended_at <= since) continue;
      tasks.push_back(task);
      if (tasks.size() > most) tasks.pop_front();
    }
  }
}

}  // namespace

v1::TraceResponse RecentTrace(const TraceLog& log,
                              const std::vector<std::string>& devices,
                              absl::Time since, size_t most,
                              absl::FunctionRef<Answer(JobId)> may_read) {
  v1::TraceResponse trace;
  trace.mutable_devices()->Assign(devices.begin(), devices.end());
  *trace.mutable_complete_since() = ToProto(log.complete_since());
  absl::flat_hash_map<JobId, Answer> answers;
  for (const TaskTrace& task : NewestTasks(log, since, most)) {
    const auto [found, is_new] = answers.try_emplace(task.job, Answer::kHidden);
    if (is_new) found->second = may_read(task.job);
    const Answer answer = found->second;
    const bool is_withheld = answer != Answer::kAllowed;
    if (is_withheld && task.kind == worker::v1::TASK_KIND_PREPARE) continue;
    v1::TracedTask& told = *trace.add_tasks();
    const uint64_t number = task.worker.value();
    if (number > 0 && number <= devices.size()) {
      told.set_device(devices[number - 1]);
    }
    *told.mutable_begun() = ToProto(task.begun_at);
    *told.mutable_ended() = ToProto(task.ended_at);
    told.set_kind(KindName(task.kind));
    told.set_withheld(is_withheld);
    if (answer == Answer::kHidden) continue;
    told.set_job_id(JobName(task.job));
    told.set_shard(task.shard);
    if (is_withheld) continue;
    told.set_step(task.step);
    told.set_outcome(task.outcome);
    *told.mutable_copy() = ToProto(task.copy);
  }
  return trace;
}

}  // namespace hydra
