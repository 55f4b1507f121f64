#include "worker/exec/host_gradient.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "ATen/ops/from_blob.h"
#include "absl/types/span.h"
#include "common/chain/block_key.h"
#include "worker/device/host_buffers.h"

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

// A tensor in the buffer, from a byte on, that keeps it.
at::Tensor TensorIn(const HostBuffers::Buffer& buffer, int64_t first_byte,
                    at::IntArrayRef sizes, at::ScalarType type) {
  return at::from_blob(
      buffer.get() + first_byte, sizes, [buffer](void*) {},
      at::TensorOptions().dtype(type));
}

// The same elsewhere: others wait for the buffer.
RowGradients OutOfBuffer(const RowGradients& part) {
  RowGradients copy;
  copy.rows = HostTensor<int64_t>(part.rows.sizes(), at::kLong);
  copy.rows.copy_(part.rows);
  copy.gradients = HostTensor<float>(part.gradients.sizes(), at::kFloat);
  copy.gradients.copy_(part.gradients);
  return copy;
}

// What the host makes of the block's gradient.
const BlockVersion& MadeOfGradient(const Pass& pass, int block) {
  if (const BlockVersion* const sum = pass.blocks.FindWritten(
          GradientSumKey(block, pass.block(block).owner()))) {
    return *sum;
  }
  return pass.blocks.Written(pass.model.shape.gradients_wait()
                                 ? ParameterGradientKey(block)
                                 : ParametersKey(block));
}

// Adds the rows' part of a gradient to that of later layers.
class GatheredGradient {
 public:
  explicit GatheredGradient(std::shared_ptr<RowGradientSum> rows)
      : rows_(std::move(rows)) {}

  // `later`: what later layers gave to the range; null: nothing. The result is
  // valid until the next call.
  const float* Of(const BlockRange& range, const float* later) {
    if (gradient_.size() < range.count) gradient_.resize(range.count);
    const at::Tensor gradient = at::from_blob(gradient_.data(), {range.count});
    rows_->CopyRange(range, gradient);
    if (later != nullptr) {
      gradient.add_(at::from_blob(const_cast<float*>(later), {range.count}));
    }
    return gradient_.data();
  }

 private:
  const std::shared_ptr<RowGradientSum> rows_;
  std::vector<float> gradient_;
};

}  // namespace

const float* ForHostThread(const Pass& pass, const BlockVersion& version) {
  const BlockIo::HostSlot slot = pass.io.SlotOnHost(version);
  if (slot.floats == nullptr) return nullptr;
  pass.io.updates().Do([device = &pass.io.device(), there = slot.there] {
    device->Await(there);
  });
  return slot.floats;
}

void UseGradientOnHost(const Pass& pass, int block, const at::Tensor& gradient,
                       UseRange use) {
  const auto shared_use = std::make_shared<const UseRange>(std::move(use));
  const BlockVersion& made = MadeOfGradient(pass, block);
  for (const BlockRange& range : UpdateRangesOf(pass.block(block))) {
    pass.meter.Advance();
    const int64_t bytes = range.count * kFloatBytes;
    const HostBuffers::Buffer buffer = pass.io.TakeHostBuffer(bytes);
    const Mark copied =
        pass.io.DemoteFor(made, gradient.narrow(0, range.first, range.count),
                          {buffer.get(), static_cast<size_t>(bytes)});
    pass.io.updates().Do(
        [device = &pass.io.device(), shared_use, range, copied, buffer] {
          device->Await(copied);
          (*shared_use)(range, reinterpret_cast<const float*>(buffer.get()));
        });
  }
}

std::shared_ptr<RowGradientSum> RowGradientSumOnHost(const Pass& pass,
                                                     int block,
                                                     int64_t rows_of_batch,
                                                     int64_t micro_batches) {
  RowGradientSum::Earlier earlier;
  if (const BlockVersion* const sum = pass.blocks.FindRead(
          GradientSumKey(block, pass.block(block).owner()))) {
    earlier = [from = ForHostThread(pass, *sum)](int64_t first_row,
                                                 const at::Tensor& to) {
      std::copy_n(from + first_row * to.size(1), to.numel(),
                  to.mutable_data_ptr<float>());
    };
  }
  return std::make_shared<RowGradientSum>(
      pass.block(block), rows_of_batch, micro_batches,
      [](at::IntArrayRef sizes) {
        return HostTensor<float>(sizes, at::kFloat);
      },
      std::move(earlier));
}

void AddRowsOnHost(const Pass& pass, int block, const RowGradients& rows,
                   std::shared_ptr<RowGradientSum> sum) {
  const BlockVersion& made = MadeOfGradient(pass, block);
  const auto row_bytes = static_cast<int64_t>(rows.rows.nbytes());
  const HostBuffers::Buffer buffer = pass.io.TakeHostBuffer(
      row_bytes + static_cast<int64_t>(rows.gradients.nbytes()));
  RowGradients there;
  there.rows = TensorIn(buffer, 0, rows.rows.sizes(), at::kLong);
  there.gradients =
      TensorIn(buffer, row_bytes, rows.gradients.sizes(), at::kFloat);
  pass.io.DemoteFor(made, rows.rows.contiguous(), BytesOf(there.rows));
  const Mark copied = pass.io.DemoteFor(made, rows.gradients.contiguous(),
                                        BytesOf(there.gradients));
  pass.io.updates().Do([device = &pass.io.device(), copied,
                        there = std::move(there), sum = std::move(sum)] {
    device->Await(copied);
    sum->Add(sum->keeps_parts() ? OutOfBuffer(there) : there);
  });
}

void UseGatheredGradientOnHost(const Pass& pass, int block,
                               const at::Tensor& later_gradient,
                               std::shared_ptr<RowGradientSum> rows,
                               UseRange use) {
  const auto gradient = std::make_shared<GatheredGradient>(std::move(rows));
  if (later_gradient.defined()) {
    UseGradientOnHost(pass, block, later_gradient,
                      [gradient, use = std::move(use)](const BlockRange& range,
                                                       const float* later) {
                        use(range, gradient->Of(range, later));
                      });
    return;
  }
  const BlockVersion* const in_pool =
      pass.blocks.FindRead(ParameterGradientKey(block));
  const float* const later =
      in_pool == nullptr ? nullptr : ForHostThread(pass, *in_pool);
  pass.io.updates().Do([gradient, later, use = std::move(use),
                        ranges = UpdateRangesOf(pass.block(block))] {
    for (const BlockRange& range : ranges) {
      use(range, gradient->Of(
                     range, later == nullptr ? nullptr : later + range.first));
    }
  });
}

void CopyGatheredGradientOnHost(const Pass& pass, int block,
                                const at::Tensor& later_gradient,
                                std::shared_ptr<RowGradientSum> rows,
                                const BlockVersion& to) {
  UseGatheredGradientOnHost(
      pass, block, later_gradient, std::move(rows),
      [slot = pass.io.SlotOnHost(to).floats](const BlockRange& range,
                                             const float* gradient) {
        std::copy_n(gradient, range.count, slot + range.first);
      });
  pass.io.MadeOnHost(to);
}

void KeepRowGradientSumOnHost(const Pass& pass, int block,
                              const BlockVersion& sum,
                              std::shared_ptr<RowGradientSum> rows) {
  // Later layers' parts are added in the last round.
  CopyGatheredGradientOnHost(pass, block, /*later_gradient=*/{},
                             std::move(rows), sum);
}

}  // namespace hydra
