#include "worker/exec/block_update.h"

#include <algorithm>
#include <array>
#include <utility>

#include "c10/core/GradMode.h"
#include "worker/model/optimizer_step.h"

namespace hydra {
namespace {

using worker::v1::BLOCK_KIND_OPTIMIZER_STATE;
using worker::v1::BLOCK_KIND_PARAMETER_GRADIENT;
using worker::v1::BLOCK_KIND_PARAMETERS;
using worker::v1::BlockVersion;

// Updates ranges of one block and keeps the buffers for their moments.
class RangeUpdater {
 public:
  RangeUpdater(const Pass& pass, int block, int64_t longest_range)
      : pass_(pass),
        block_(block),
        new_parameters_(pass.blocks.Written(BLOCK_KIND_PARAMETERS, block)) {
    for (int i = 0; i < pass.model.moment_count; ++i) {
      buffers_[i] = pass.io.Empty({longest_range});
    }
  }

  // `parameters` and `gradient` begin at the block's element `first`.
  void Update(int64_t first, const at::Tensor& parameters,
              const at::Tensor& gradient) {
    std::array<at::Tensor, 2> moments;
    for (int i = 0; i < pass_.model.moment_count; ++i) {
      moments[i] = buffers_[i].narrow(0, 0, parameters.numel());
      pass_.io.PromoteRange(
          pass_.blocks.Read(BLOCK_KIND_OPTIMIZER_STATE, block_),
          MomentBegin(i) + first, moments[i]);
    }
    UpdateRange(pass_.model.hyperparameters, pass_.task.step() + 1, parameters,
                gradient, moments[0], moments[1]);
    pass_.io.Demote(parameters, new_parameters_, first);
    for (int i = 0; i < pass_.model.moment_count; ++i) {
      pass_.io.Demote(moments[i],
                      pass_.blocks.Written(BLOCK_KIND_OPTIMIZER_STATE, block_),
                      MomentBegin(i) + first);
    }
  }

  const BlockVersion& new_parameters() const { return new_parameters_; }

 private:
  int64_t MomentBegin(int moment) const {
    return moment * pass_.block(block_).element_count();
  }

  const Pass& pass_;
  const int block_;
  const BlockVersion& new_parameters_;
  std::array<at::Tensor, 2> buffers_;
};

// Rows of the token table that are updated at once: about kUpdateRangeElements,
// and ranges begin at multiples of 64 bytes.
int64_t RowsOfRange(int64_t width) {
  constexpr int64_t kRows = kTensorAlignmentBytes / kFloatBytes;
  return std::max(kRows, kUpdateRangeElements / width / kRows * kRows);
}

// Adds the head's part, wherever it is, to a range of the gradient.
class HeadPart {
 public:
  HeadPart(const Pass& pass, int block, const at::Tensor& on_device,
           int64_t longest_range)
      : pass_(pass),
        on_device_(on_device),
        in_pool_(pass.blocks.FindRead(BLOCK_KIND_PARAMETER_GRADIENT, block)) {
    if (!on_device.defined() && in_pool_ != nullptr) {
      buffer_ = pass.io.Empty({longest_range});
    }
  }

  void AddTo(const at::Tensor& gradient, int64_t first) {
    if (on_device_.defined()) {
      gradient.add_(on_device_.narrow(0, first, gradient.numel()));
    } else if (in_pool_ != nullptr) {
      const at::Tensor range = buffer_.narrow(0, 0, gradient.numel());
      pass_.io.PromoteRange(*in_pool_, first, range);
      gradient.add_(range);
    }
  }

 private:
  const Pass& pass_;
  const at::Tensor on_device_;
  const BlockVersion* const in_pool_;
  at::Tensor buffer_;
};

}  // namespace

void UpdateBlock(const Pass& pass, int block, at::Tensor parameters,
                 const at::Tensor& gradient) {
  const at::NoGradGuard no_grad;
  const int64_t count = parameters.numel();
  pass.io.Forget(pass.blocks.Read(BLOCK_KIND_PARAMETERS, block));
  RangeUpdater updater(pass, block, std::min(count, kUpdateRangeElements));
  for (int64_t first = 0; first < count; first += kUpdateRangeElements) {
    const int64_t length = std::min(kUpdateRangeElements, count - first);
    updater.Update(first, parameters.narrow(0, first, length),
                   gradient.narrow(0, first, length));
  }
  pass.io.Keep(updater.new_parameters(), std::move(parameters));
}

void UpdateTokenTable(const Pass& pass, at::Tensor parameters,
                      const at::Tensor& head_gradient,
                      const TokenTableGradient& embedding_gradient) {
  const at::NoGradGuard no_grad;
  const int block = pass.layer(0).parameter_blocks.front();
  const BlockVersion& read = pass.blocks.Read(BLOCK_KIND_PARAMETERS, block);
  const int64_t rows = pass.block(block).tensors.front().shape[0];
  const int64_t width = pass.block(block).tensors.front().shape[1];
  const int64_t count = pass.block(block).element_count();
  const int64_t rows_of_range = RowsOfRange(width);
  const int64_t longest_range = std::min(count, rows_of_range * width);

  if (parameters.defined()) pass.io.Forget(read);
  RangeUpdater updater(pass, block, longest_range);
  HeadPart head_part(pass, block, head_gradient, longest_range);
  const at::Tensor gradient_buffer = pass.io.Empty({longest_range});
  at::Tensor parameter_buffer;
  if (!parameters.defined()) parameter_buffer = pass.io.Empty({longest_range});

  for (int64_t row = 0; row < rows; row += rows_of_range) {
    const int64_t last_row = std::min(rows, row + rows_of_range);
    const int64_t first = row * width;
    // The last range includes the block's padding.
    const int64_t length =
        (last_row == rows ? count : last_row * width) - first;
    const int64_t in_rows = (last_row - row) * width;
    const at::Tensor gradient = gradient_buffer.narrow(0, 0, length);
    gradient.narrow(0, in_rows, length - in_rows).zero_();
    embedding_gradient.CopyRows(
        row, last_row,
        gradient.narrow(0, 0, in_rows).view({last_row - row, width}));
    head_part.AddTo(gradient, first);

    at::Tensor range;
    if (parameters.defined()) {
      range = parameters.narrow(0, first, length);
    } else {
      range = parameter_buffer.narrow(0, 0, length);
      pass.io.PromoteRange(read, first, range);
    }
    updater.Update(first, range, gradient);
  }
  if (parameters.defined()) {
    pass.io.Keep(updater.new_parameters(), std::move(parameters));
  } else {
    // No task will read it again.
    pass.io.Forget(read);
  }
}

}  // namespace hydra
