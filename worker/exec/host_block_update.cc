#include "worker/exec/host_block_update.h"

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "ATen/ops/from_blob.h"
#include "common/chain/block_key.h"
#include "common/failpoint/fail_point.h"
#include "worker/exec/host_update.h"
#include "worker/exec/update_ranges.h"
#include "worker/model/optimizer_step.h"

namespace hydra {
namespace {

using worker::v1::BlockVersion;

// Host memory, beside what LibTorch allocates: on a CPU device that is the
// device's.
template <typename Element>
at::Tensor HostTensor(at::IntArrayRef sizes, at::ScalarType type) {
  int64_t count = 1;
  for (int64_t size : sizes) count *= size;
  auto* const elements = new Element[count];
  return at::from_blob(
      elements, sizes, [](void* own) { delete[] static_cast<Element*>(own); },
      at::TensorOptions().dtype(type));
}

absl::Span<std::byte> BytesOf(const at::Tensor& tensor) {
  return {static_cast<std::byte*>(tensor.mutable_data_ptr()), tensor.nbytes()};
}

absl::Span<std::byte> BytesOf(float* floats, int64_t count) {
  return {reinterpret_cast<std::byte*>(floats),
          static_cast<size_t>(count * kFloatBytes)};
}

// The version's elements, for what the host's thread is given from now on. Null
// if they are known to be zero.
const float* ForHostThread(const Pass& pass, const BlockVersion& version) {
  const BlockIo::HostSlot slot = pass.io.SlotOnHost(version);
  if (slot.floats == nullptr) return nullptr;
  pass.io.updates().Do([device = &pass.io.device(), there = slot.there] {
    device->Await(there);
  });
  return slot.floats;
}

// What updates one block: made by the pass, and then the host's thread's alone.
class BlockOnHost {
 public:
  BlockOnHost(const Pass& pass, int block)
      : job_(pass.task.job_id()),
        update_(ScalarsAt(pass.model.HyperparametersAt(pass.task.step()),
                          pass.task.step() + 1),
                OldOf(pass, block), NewOf(pass, block)) {}

  void Update(const BlockRange& range, const float* gradient) {
    update_.Update(range, gradient);
    FailPoint("worker.update", job_);
  }

  const HostUpdate& update() const { return update_; }

 private:
  static HostUpdate::Old OldOf(const Pass& pass, int block) {
    HostUpdate::Old old;
    old.parameters =
        ForHostThread(pass, pass.blocks.Read(ParametersKey(block)));
    if (pass.model.moment_count() == 0) return old;
    const float* const moments =
        ForHostThread(pass, pass.blocks.Read(StateKey(block)));
    if (moments == nullptr) return old;
    const int64_t elements = pass.block(block).element_count();
    for (int i = 0; i < pass.model.moment_count(); ++i) {
      old.moments[i] = moments + i * elements;
    }
    return old;
  }

  static HostUpdate::New NewOf(const Pass& pass, int block) {
    HostUpdate::New made;
    made.parameters =
        pass.io.SlotOnHost(pass.blocks.Written(ParametersKey(block))).floats;
    const int64_t elements = pass.block(block).element_count();
    for (int i = 0; i < pass.model.moment_count(); ++i) {
      made.moments[i] =
          pass.io.SlotOnHost(pass.blocks.Written(StateKey(block))).floats +
          i * elements;
    }
    return made;
  }

  const uint64_t job_;
  HostUpdate update_;
};

// The same for one whose rows are gathered.
class GatheredBlockOnHost {
 public:
  // `later`: what later layers gave, in the pool; null where it is on the
  // device, or nowhere.
  GatheredBlockOnHost(const Pass& pass, int block, const float* later,
                      std::shared_ptr<RowGradientSum> rows)
      : block_(pass, block),
        rows_(std::move(rows)),
        width_(pass.block(block).tensors.front().shape[1]),
        later_(later) {}

  void Update(const BlockRange& range) {
    Update(range, later_ == nullptr ? nullptr : later_ + range.first);
  }

  // `later_range`: of what later layers gave; null: they gave nothing.
  void Update(const BlockRange& range, const float* later_range) {
    if (gradient_.size() < range.count) gradient_.resize(range.count);
    const at::Tensor gradient = at::from_blob(gradient_.data(), {range.count});
    const int64_t rows = range.last_row - range.first_row;
    const int64_t in_rows = rows * width_;
    rows_->CopyRows(range.first_row, range.last_row,
                    gradient.narrow(0, 0, in_rows).view({rows, width_}));
    gradient.narrow(0, in_rows, range.count - in_rows).zero_();
    if (later_range != nullptr) {
      gradient.add_(
          at::from_blob(const_cast<float*>(later_range), {range.count}));
    }
    block_.Update(range, gradient_.data());
  }

  const HostUpdate& update() const { return block_.update(); }

 private:
  BlockOnHost block_;
  const std::shared_ptr<RowGradientSum> rows_;
  const int64_t width_;
  const float* const later_;
  std::vector<float> gradient_;
};

// Notes what all that was given to the host so far makes.
void EndUpdate(const Pass& pass, int block,
               std::shared_ptr<const HostUpdate> update) {
  pass.io.MadeOnHost(pass.blocks.Written(ParametersKey(block)));
  if (pass.model.moment_count() > 0) {
    pass.io.MadeOnHost(pass.blocks.Written(StateKey(block)));
  }
  pass.results.Add(block, std::move(update));
  // No task will read it again.
  pass.io.Forget(pass.blocks.Read(ParametersKey(block)));
}

// Demotes the gradient in ranges and lets the host use each of them.
template <typename Block>
void UpdateWith(const Pass& pass, int block, const at::Tensor& gradient,
                const std::shared_ptr<Block>& on_host) {
  const BlockVersion& made = pass.blocks.Written(ParametersKey(block));
  HostUpdates& updates = pass.io.updates();
  for (const BlockRange& range : UpdateRangesOf(pass.block(block))) {
    pass.meter.Advance();
    const HostUpdates::Buffer buffer = pass.io.TakeHostBuffer(range.count);
    const Mark copied =
        pass.io.DemoteFor(made, gradient.narrow(0, range.first, range.count),
                          BytesOf(buffer.get(), range.count));
    updates.Do([device = &pass.io.device(), on_host, range, copied, buffer] {
      device->Await(copied);
      on_host->Update(range, buffer.get());
    });
  }
}

}  // namespace

void UpdateBlockOnHost(const Pass& pass, int block,
                       const at::Tensor& gradient) {
  const auto on_host = std::make_shared<BlockOnHost>(pass, block);
  UpdateWith(pass, block, gradient, on_host);
  EndUpdate(pass, block, {on_host, &on_host->update()});
}

void UpdateStreamedBlockOnHost(const Pass& pass, int block,
                               const BlockVersion& gradient) {
  const auto on_host = std::make_shared<BlockOnHost>(pass, block);
  pass.io.updates().Do([on_host, from = ForHostThread(pass, gradient),
                        ranges = UpdateRangesOf(pass.block(block))] {
    for (const BlockRange& range : ranges) {
      on_host->Update(range, from + range.first);
    }
  });
  EndUpdate(pass, block, {on_host, &on_host->update()});
}

std::shared_ptr<RowGradientSum> RowGradientSumOnHost(
    const ParameterBlock& block, int64_t rows_of_batch, int64_t micro_batches) {
  return std::make_shared<RowGradientSum>(
      block, rows_of_batch, micro_batches, [](at::IntArrayRef sizes) {
        return HostTensor<float>(sizes, at::kFloat);
      });
}

void AddRowsOnHost(const Pass& pass, int block, const RowGradients& rows,
                   std::shared_ptr<RowGradientSum> sum) {
  const BlockVersion& made = pass.blocks.Written(ParametersKey(block));
  RowGradients there;
  there.rows = HostTensor<int64_t>(rows.rows.sizes(), at::kLong);
  there.gradients = HostTensor<float>(rows.gradients.sizes(), at::kFloat);
  pass.io.DemoteFor(made, rows.rows.contiguous(), BytesOf(there.rows));
  const Mark copied = pass.io.DemoteFor(made, rows.gradients.contiguous(),
                                        BytesOf(there.gradients));
  pass.io.updates().Do([device = &pass.io.device(), copied,
                        there = std::move(there), sum = std::move(sum)] {
    device->Await(copied);
    sum->Add(there);
  });
}

void UpdateGatheredBlockOnHost(const Pass& pass, int block,
                               const at::Tensor& later_gradient,
                               std::shared_ptr<RowGradientSum> rows) {
  const BlockVersion* const later =
      later_gradient.defined()
          ? nullptr
          : pass.blocks.FindRead(ParameterGradientKey(block));
  const auto on_host = std::make_shared<GatheredBlockOnHost>(
      pass, block, later == nullptr ? nullptr : ForHostThread(pass, *later),
      std::move(rows));
  if (later_gradient.defined()) {
    UpdateWith(pass, block, later_gradient, on_host);
  } else {
    pass.io.updates().Do([on_host, ranges = UpdateRangesOf(pass.block(block))] {
      for (const BlockRange& range : ranges) on_host->Update(range);
    });
  }
  EndUpdate(pass, block, {on_host, &on_host->update()});
}

}  // namespace hydra
