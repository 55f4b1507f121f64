#include "scheduler/core/step_log.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/time/time.h"
#include "common/status/proto_time.h"

namespace hydra {

StepLog::Step StepLog::FromProto(const v1::StepMetrics& step,
                                 uint64_t sequence) {
  return {step.step(),
          step.train_loss(),
          absl::ToUnixNanos(hydra::FromProto(step.time())),
          absl::ToInt64Nanoseconds(hydra::FromProto(step.device())),
          sequence,
          step.has_grad_norm() ? step.grad_norm()
                               : std::numeric_limits<double>::quiet_NaN(),
          step.skipped_blocks(),
          step.has_loss_scale()
              ? static_cast<int8_t>(std::ilogb(step.loss_scale()))
              : kNoScale,
          step.overflowed()};
}

v1::StepMetrics StepLog::ToProto(const Step& step) {
  v1::StepMetrics proto;
  proto.set_step(step.step);
  proto.set_train_loss(step.train_loss);
  *proto.mutable_time() = hydra::ToProto(absl::FromUnixNanos(step.time_ns));
  proto.set_skipped_blocks(step.skipped_blocks);
  if (!std::isnan(step.grad_norm)) proto.set_grad_norm(step.grad_norm);
  if (step.scale_exponent != kNoScale) {
    proto.set_loss_scale(std::ldexp(1.0, step.scale_exponent));
  }
  proto.set_overflowed(step.overflowed);
  if (step.device_ns > 0) {
    *proto.mutable_device() = hydra::ToProto(absl::Nanoseconds(step.device_ns));
  }
  return proto;
}

void StepLog::Append(const Step& step) {
  if (newest_.size() == kPiece) {
    full_.push_back(
        std::make_shared<const Piece>(std::exchange(newest_, Piece())));
  }
  newest_.push_back(step);
}

void StepLog::Add(const v1::StepMetrics& step, uint64_t sequence,
                  uint64_t recorded) {
  if (!newest_.empty() && newest_.back().step == step.step()) {
    newest_.pop_back();
  }
  Append(FromProto(step, sequence));
  const size_t spare = (std::max(size(), kKept) - kKept) / kPiece;
  const auto last = full_.begin() + spare;
  const auto first_kept =
      std::find_if(full_.begin(), last, [recorded](const auto& piece) {
        return piece->back().sequence > recorded;
      });
  full_.erase(full_.begin(), first_kept);
}

void StepLog::Assign(const std::vector<v1::StepMetrics>& steps) {
  full_.clear();
  newest_.clear();
  const size_t first = steps.size() - std::min(steps.size(), kKept);
  for (size_t i = first; i < steps.size(); ++i) {
    Append(FromProto(steps[i], /*sequence=*/0));
  }
}

void StepLog::EraseFrom(int64_t first_step) {
  while (!newest_.empty() && newest_.back().step >= first_step) {
    newest_.pop_back();
    if (newest_.empty() && !full_.empty()) {
      newest_ = *full_.back();
      full_.pop_back();
    }
  }
}

void StepLog::KeepNewestOnly() {
  if (size() <= 1) return;
  Piece{newest_.back()}.swap(newest_);
  std::vector<std::shared_ptr<const Piece>>().swap(full_);
}

const StepLog::Step& StepLog::At(size_t index) const {
  const size_t piece = index / kPiece;
  return (piece < full_.size() ? *full_[piece] : newest_)[index % kPiece];
}

StepLog::Recent StepLog::NewestFor(absl::Duration least) const {
  Recent recent;
  for (size_t i = size(); i > 0 && recent.device < least; --i) {
    const int64_t device_ns = At(i - 1).device_ns;
    if (device_ns <= 0) continue;
    ++recent.steps;
    recent.device += absl::Nanoseconds(device_ns);
  }
  return recent;
}

std::vector<v1::StepMetrics> StepLog::Newest(int most) const {
  const size_t count = std::min<size_t>(size(), std::max(0, most));
  std::vector<v1::StepMetrics> newest;
  newest.reserve(count);
  for (size_t i = size() - count; i < size(); ++i) {
    newest.push_back(ToProto(At(i)));
  }
  return newest;
}

}  // namespace hydra
