#include "scheduler/core/report_check.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/status/proto_time.h"

namespace hydra {
namespace {

namespace wv1 = hydra::worker::v1;
using wv1::TaskReport;

template <typename... What>
absl::Status Contradiction(const TaskReport& report, const What&... what) {
  return absl::InternalError(
      absl::StrCat("its report of task ", report.task_id(), " ", what...));
}

TaskReport::ResultCase ResultOf(wv1::TaskKind kind) {
  switch (kind) {
    case wv1::TASK_KIND_PREPARE:
      return TaskReport::kPrepare;
    case wv1::TASK_KIND_PILOT:
      return TaskReport::kPilot;
    default:
      return TaskReport::kPass;
  }
}

absl::Status CheckPrepare(const TaskReport& report) {
  bool has_training_data = false;
  for (const wv1::PreparedSplit& split : report.prepare().splits()) {
    if (split.token_count() < 0) {
      return Contradiction(report, "counts ", split.token_count(), " tokens");
    }
    if (split.row_count() < 0) {
      return Contradiction(report, "counts ", split.row_count(), " rows");
    }
    has_training_data = has_training_data || split.split() == wv1::SPLIT_TRAIN;
  }
  if (has_training_data) return absl::OkStatus();
  return Contradiction(report, "has no training split");
}

absl::Status CheckPilot(const JobShape& shape, const TaskReport& report) {
  int last = 0;
  for (int cut : report.pilot().cut_points()) {
    if (cut <= last || cut >= shape.table->layer_count()) {
      return Contradiction(report, "cuts before layer ", cut, " after ", last,
                           ", of ", shape.table->layer_count(), " layers");
    }
    last = cut;
  }
  for (int i = 0; i < report.pilot().layers_size(); ++i) {
    const hydra::v1::LayerProfile& layer = report.pilot().layers(i);
    if (i >= shape.table->layer_count() ||
        FromProto(layer.forward()) < absl::ZeroDuration() ||
        FromProto(layer.backward()) < absl::ZeroDuration()) {
      return Contradiction(report, "has no profile of layer ", i, ": ",
                           layer.ShortDebugString());
    }
  }
  return absl::OkStatus();
}

absl::Status CheckPass(const JobShape& shape, const ChainTask& task,
                       const TaskReport& report) {
  const bool has_head = task.layers.last == shape.table->layer_count();
  const bool has_loss = has_head && (task.kind == wv1::TASK_KIND_TURN ||
                                     task.kind == wv1::TASK_KIND_EVALUATE);
  if (report.pass().correct() < 0 ||
      report.pass().correct() >
          std::max<int64_t>(report.pass().loss_tokens(), 0)) {
    return Contradiction(report, "has ", report.pass().correct(),
                         " correct ones of ", report.pass().loss_tokens());
  }
  if (shape.scales_loss && task.kind == wv1::TASK_KIND_UPDATE &&
      !report.pass().has_grad_norm()) {
    return Contradiction(report,
                         "has no norm of gradients, which says whether its "
                         "step overflowed");
  }
  if (!has_loss || report.pass().loss_tokens() > 0) return absl::OkStatus();
  // None of its tokens is trained on: then each batch has the loss of none.
  const int batches = task.last_micro_batch - task.first_micro_batch;
  if (report.pass().loss_tokens() == 0 && batches > 0 &&
      report.pass().batch_loss_sums_size() == batches) {
    return absl::OkStatus();
  }
  return Contradiction(report, "has the losses of ",
                       report.pass().loss_tokens(), " tokens");
}

}  // namespace

absl::Status CheckReport(const JobShape& shape, const ChainTask& task,
                         const TaskReport& report) {
  if (FromProto(report.cost().wall()) < absl::ZeroDuration()) {
    return Contradiction(report, "took ",
                         absl::FormatDuration(FromProto(report.cost().wall())));
  }
  if (report.has_error()) {
    if (report.error().code() != 0) return absl::OkStatus();
    return Contradiction(report, "has an error of code OK");
  }
  if (report.result_case() != ResultOf(task.kind)) {
    return Contradiction(report, "has a result of kind ", report.result_case(),
                         ", and should have one of a ",
                         wv1::TaskKind_Name(task.kind));
  }
  switch (task.kind) {
    case wv1::TASK_KIND_PREPARE:
      return CheckPrepare(report);
    case wv1::TASK_KIND_PILOT:
      return CheckPilot(shape, report);
    default:
      return CheckPass(shape, task, report);
  }
}

}  // namespace hydra
