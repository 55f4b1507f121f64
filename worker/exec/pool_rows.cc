#include "worker/exec/pool_rows.h"

#include <limits>
#include <utility>

#include "common/chain/block_key.h"
#include "common/model/quantized_rows.h"
#include "worker/exec/block_floats.h"
#include "worker/model/quantized_tensor.h"

namespace hydra {

using worker::v1::BlockVersion;

namespace {

BlockKey SumKeyOf(const Pass& pass) {
  return GradientSumKey(pass.streamed_block, pass.last_layer() - 1);
}

GradientPlace GradientOf(const Pass& pass) {
  const int block = pass.streamed_block;
  if (const BlockVersion* const sum = pass.blocks.FindWritten(SumKeyOf(pass))) {
    return {sum};
  }
  const bool is_owner = pass.block(block).owner() + 1 == pass.last_layer();
  const bool updates = is_owner && !pass.model.shape.gradients_wait();
  if (!updates) return {pass.blocks.FindWritten(ParameterGradientKey(block))};
  if (!pass.block(block).has_master()) {
    return {pass.blocks.FindWritten(ParametersKey(block))};
  }
  // The master is the last part.
  return {pass.blocks.FindWritten(StateKey(block)),
          (pass.model.shape.StateParts(block) - 1) *
              pass.block(block).element_count()};
}

}  // namespace

PoolRows::PoolRows(const Pass& pass)
    : pass_(pass),
      ranges_(TableRanges(
          pass.block(pass.streamed_block).tensors.front().shape[0])),
      width_(pass.block(pass.streamed_block).tensors.front().shape[1]),
      parameters_(pass.blocks.Read(ParametersKey(pass.streamed_block))),
      gradient_(GradientOf(pass)),
      earlier_(pass.blocks.FindRead(SumKeyOf(pass))),
      given_(ranges_.size(), earlier_ == nullptr) {}

at::Tensor PoolRows::Rows(int range, int next) {
  pass_.meter.Advance();
  return Take([this](int) { return GradientPlace{&parameters_}; },
              pass_.block(pass_.streamed_block).type, range, next,
              coming_rows_);
}

at::Tensor PoolRows::Gradient(int range, int next, bool accumulate) {
  pass_.io.WaitFor(departed_before_);
  if (!accumulate) return Empty(range);
  return Take(
      [this](int of_range) {
        return given_[of_range] ? gradient_ : GradientPlace{earlier_};
      },
      ElementType::kFloat32, range, next, coming_gradient_);
}

void PoolRows::GiveGradient(int range, at::Tensor gradient) {
  given_[range] = true;
  departed_before_ = departed_;
  departed_ = pass_.io.Demote(gradient.view({-1}), *gradient_.version,
                              gradient_.first + First(range));
  if (range + 1 < static_cast<int>(ranges_.size())) return;
  pass_.io.ZeroTail(*gradient_.version,
                    gradient_.first + ranges_.back().last * width_);
}

void PoolRows::SpoilGradient() {
  GiveGradient(0, Empty(0).fill_(std::numeric_limits<float>::quiet_NaN()));
}

at::Tensor PoolRows::Empty(int range) const {
  return pass_.io.Empty({ranges_[range].count(), width_});
}

PoolRows::Coming PoolRows::Begin(const GradientPlace& place, int range,
                                 ElementType type) {
  // A range begins at a whole float, and ends before the block's padding does.
  const int64_t row_bytes = StoredRowBytes(type, width_);
  const int64_t rows = ranges_[range].count();
  const int64_t bytes = rows * row_bytes;
  const at::Tensor floats =
      pass_.io.Empty({(bytes + kFloatBytes - 1) / kFloatBytes});
  Coming coming;
  coming.range = range;
  coming.ready = pass_.io.BeginPromoteRange(
      *place.version,
      place.first + ranges_[range].first * row_bytes / kFloatBytes, floats);
  const at::Tensor elements =
      AsElements(floats, type).narrow(0, 0, bytes / ElementBytes(type));
  coming.rows = type == ElementType::kInt8
                    ? QuantizedView(elements, rows, width_)
                    : elements.view({rows, width_});
  return coming;
}

template <typename PlaceOf>
at::Tensor PoolRows::Take(PlaceOf place_of, ElementType type, int range,
                          int next, Coming& coming) {
  Coming taken = std::exchange(coming, Coming());
  if (taken.range != range) taken = Begin(place_of(range), range, type);
  pass_.io.WaitFor(taken.ready);
  if (next != kNone) coming = Begin(place_of(next), next, type);
  return std::move(taken.rows);
}

}  // namespace hydra
