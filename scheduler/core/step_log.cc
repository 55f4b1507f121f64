#include "scheduler/core/step_log.h"

#include <algorithm>

#include "absl/time/time.h"
#include "common/status/proto_time.h"

namespace hydra {

namespace v1 = hydra::v1;

StepLog::Step StepLog::FromProto(const v1::StepMetrics& step,
                                 uint64_t sequence) {
  return {step.step(), step.train_loss(),
          absl::ToUnixNanos(hydra::FromProto(step.time())), sequence,
          step.skipped_blocks()};
}

v1::StepMetrics StepLog::ToProto(const Step& step) {
  v1::StepMetrics proto;
  proto.set_step(step.step);
  proto.set_train_loss(step.train_loss);
  *proto.mutable_time() = hydra::ToProto(absl::FromUnixNanos(step.time_ns));
  proto.set_skipped_blocks(step.skipped_blocks);
  return proto;
}

void StepLog::Add(const v1::StepMetrics& step, uint64_t sequence,
                  uint64_t recorded) {
  if (!steps_.empty() && steps_.back().step == step.step()) steps_.pop_back();
  steps_.push_back(FromProto(step, sequence));
  // Seldom, since all that stay are moved.
  if (steps_.size() < 2 * kKept) return;
  const auto last = steps_.end() - kKept;
  const auto first_kept = std::find_if(
      steps_.begin(), last,
      [recorded](const Step& kept) { return kept.sequence > recorded; });
  steps_.erase(steps_.begin(), first_kept);
}

void StepLog::Assign(const std::vector<v1::StepMetrics>& steps) {
  steps_.clear();
  const size_t first = steps.size() - std::min(steps.size(), kKept);
  for (size_t i = first; i < steps.size(); ++i) {
    steps_.push_back(FromProto(steps[i], /*sequence=*/0));
  }
}

void StepLog::EraseFrom(int64_t first_step) {
  while (!steps_.empty() && steps_.back().step >= first_step) steps_.pop_back();
}

void StepLog::KeepNewestOnly() {
  if (steps_.size() > 1) std::vector<Step>{steps_.back()}.swap(steps_);
}

std::vector<v1::StepMetrics> StepLog::Newest(int most) const {
  const size_t count = std::min<size_t>(steps_.size(), std::max(0, most));
  std::vector<v1::StepMetrics> newest;
  newest.reserve(count);
  for (size_t i = steps_.size() - count; i < steps_.size(); ++i) {
    newest.push_back(ToProto(steps_[i]));
  }
  return newest;
}

}  // namespace hydra
