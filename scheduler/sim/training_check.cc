#include "scheduler/sim/training_check.h"

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "glog/logging.h"
#include "scheduler/core/job.h"
#include "scheduler/journal/tables.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

int64_t StepsOf(const SaveRequest& request) {
  return request.detail.spec().train().max_steps();
}

}  // namespace

void TrainingCheck::Check(const SaveRequest& request) {
  CheckModel(request);
  CheckMetrics(request);
}

void TrainingCheck::CheckModel(const SaveRequest& request) {
  uint64_t content = 0;
  for (const auto& [key, version] : request.blocks) {
    CHECK(version.slot.has_value());
    const SimBytes& bytes = machine_->pool[version.slot->offset];
    CHECK_EQ(bytes.version, version.id.value());
    content = content * 31 + bytes.content;
  }
  CHECK_EQ(trained_.try_emplace(StepsOf(request), content).first->second,
           content)
      << JobName(request.job) << " was trained to another model";
}

TrainingCheck::Losses TrainingCheck::StepLosses(const SaveRequest& request) {
  Losses losses;
  for (const v1::StepMetrics& step : request.detail.steps()) {
    CHECK(losses.insert({{step.step(), "train"}, step.train_loss()}).second);
  }
  // Those that the core does not keep are on the disk.
  const int64_t first =
      request.detail.steps_size() > 0 ? request.detail.steps(0).step() : 0;
  const absl::Status read = machine_->disk.jobs.ForEachOf(
      kStepsTable, request.job.value(),
      [&](int64_t, int64_t number, absl::string_view value) {
        v1::StepMetrics step;
        CHECK(step.ParseFromArray(value.data(), value.size()));
        if (number < first) losses[{number, "train"}] = step.train_loss();
        return absl::OkStatus();
      });
  CHECK(read.ok()) << read;
  return losses;
}

// Losses follow from contents: each must be there, once, and be that of every
// other job. A power cut may take the newest ones, since they are on the disk a
// little after what they tell of.
void TrainingCheck::CheckMetrics(const SaveRequest& request) {
  Losses losses = StepLosses(request);
  const int64_t measured_steps = losses.size();
  for (const v1::EvaluationMetrics& evaluation : request.detail.evaluations()) {
    CHECK(losses
              .insert(
                  {{evaluation.step(), evaluation.split()}, evaluation.loss()})
              .second);
  }
  for (const auto& [what, loss] : losses) {
    CHECK_EQ(losses_.try_emplace(what, loss).first->second, loss)
        << JobName(request.job) << " step " << what.first << ", "
        << what.second;
  }
  if (machine_->options.power_cut > 0) return;
  // Fewer than there are, if it stopped early.
  const int64_t steps = request.detail.status().step();
  CHECK_LE(steps, StepsOf(request));
  CHECK_EQ(measured_steps, steps);
  // Every second step, and at the end with the test split.
  const int64_t evaluations =
      machine_->setup.trains_only ? 0 : (steps + 1) / 2 + 1;
  CHECK_EQ(request.detail.evaluations_size(), evaluations)
      << request.detail.DebugString();
}

}  // namespace hydra
