#include "worker/exec/token_table_gradient.h"

#include "common/model/model_table.h"
#include "worker/model/embedding_layer.h"

namespace hydra {

TokenTableGradient::TokenTableGradient(int64_t rows, int64_t width,
                                       int64_t micro_batches,
                                       int64_t part_bytes)
    : rows_(rows),
      width_(width),
      keeps_parts_(KeepsParts(rows, width, micro_batches, part_bytes)) {}

bool TokenTableGradient::KeepsParts(int64_t rows, int64_t width,
                                    int64_t micro_batches, int64_t part_bytes) {
  return micro_batches * part_bytes <= rows * width * kFloatBytes;
}

void TokenTableGradient::Add(const at::Tensor& tokens,
                             const at::Tensor& sum_gradient,
                             const BlockIo& io) {
  if (keeps_parts_) {
    parts_.push_back({tokens, sum_gradient});
    return;
  }
  if (!table_.defined()) table_ = io.Empty({rows_, width_}).zero_();
  AddTokenRowGradients(tokens, sum_gradient, 0, rows_, table_);
}

void TokenTableGradient::CopyRows(int64_t first_row, int64_t last_row,
                                  const at::Tensor& to) const {
  if (!keeps_parts_) {
    to.copy_(table_.narrow(0, first_row, last_row - first_row));
    return;
  }
  to.zero_();
  for (const Part& part : parts_) {
    AddTokenRowGradients(part.tokens, part.sum_gradient, first_row, last_row,
                         to);
  }
}

}  // namespace hydra
