#include "worker/exec/host_task.h"

#include <exception>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/clock/steady_time.h"
#include "common/status/proto_time.h"
#include "worker/exec/prepare_pass.h"
#include "worker/exec/task_failure.h"

namespace hydra {
namespace {

using worker::v1::JobContext;
using worker::v1::PrepareResult;
using worker::v1::TaskReport;

absl::StatusOr<PrepareResult> Prepare(const JobContext& job, LogSink& log,
                                      TaskControl& control,
                                      const ModelFamilies& families) {
  const auto table =
      families.Describe(job.model_config_json(), OverridesOf(job.spec()));
  if (!table.ok()) return table.status();
  try {
    return RunPreparePass(job, *table, log, control);
  } catch (const std::exception& error) {
    return absl::InternalError(error.what());
  }
}

}  // namespace

bool IsHostTask(const worker::v1::Task& task) {
  return task.kind() == worker::v1::TASK_KIND_PREPARE;
}

TaskReport RunHostTask(const worker::v1::Task& task, const JobContext& job,
                       LogSink& log, TaskControl& control,
                       const ModelFamilies& families) {
  const absl::Time begin = SteadyNow();
  TaskReport report;
  report.set_task_id(task.task_id());
  auto prepared = Prepare(job, log, control, families);
  if (prepared.ok()) {
    *report.mutable_prepare() = *std::move(prepared);
  } else {
    SetError(TaskFailure{prepared.status()}, report);
  }
  *report.mutable_cost()->mutable_begun() = ToProto(begin);
  *report.mutable_cost()->mutable_wall() = ToProto(SteadyNow() - begin);
  return report;
}

}  // namespace hydra
