#include "worker/exec/row_gradient_sum.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "ATen/core/Tensor.h"
#include "worker/model/parallel_for.h"
#include "worker/model/row_gradients.h"

namespace hydra {

RowGradientSum::RowGradientSum(const ParameterBlock& block,
                               int64_t rows_of_batch, int64_t micro_batches,
                               Empty empty, Earlier earlier)
    : rows_(block.tensors.front().shape[0]),
      width_(block.tensors.front().shape[1]),
      keeps_parts_(KeepsParts(block, rows_of_batch, micro_batches)),
      empty_(std::move(empty)),
      earlier_(std::move(earlier)) {}

bool RowGradientSum::KeepsParts(const ParameterBlock& block,
                                int64_t rows_of_batch, int64_t micro_batches) {
  return micro_batches * rows_of_batch <= block.tensors.front().shape[0];
}

void RowGradientSum::Add(const RowGradients& part) {
  if (keeps_parts_) {
    parts_.push_back({part.rows, part.gradients.contiguous()});
    return;
  }
  if (!table_.defined()) {
    table_ = empty_({rows_, width_});
    Begin(0, table_);
  }
  AddRowGradients(part, 0, rows_, table_);
}

void RowGradientSum::CopyRows(int64_t first_row, int64_t last_row,
                              const at::Tensor& to) {
  if (!keeps_parts_) {
    to.copy_(table_.narrow(0, first_row, last_row - first_row));
    return;
  }
  if (row_begins_.empty()) SortByRow();
  Begin(first_row, to);
  float* const begin = to.mutable_data_ptr<float>();
  // A row has all its tokens in one thread, so their order stays.
  const int64_t rows_of_thread = std::max<int64_t>(1, 32768 / width_);
  ParallelFor(
      first_row, last_row, rows_of_thread, [&](int64_t row, int64_t last) {
        for (; row < last; ++row) {
          float* const sum = begin + (row - first_row) * width_;
          for (int64_t i = row_begins_[row]; i < row_begins_[row + 1]; ++i) {
            for (int64_t j = 0; j < width_; ++j) sum[j] += by_row_[i][j];
          }
        }
      });
}

void RowGradientSum::CopyRange(const BlockRange& range, const at::Tensor& to) {
  const int64_t rows = range.last_row - range.first_row;
  const int64_t in_rows = rows * width_;
  CopyRows(range.first_row, range.last_row,
           to.narrow(0, 0, in_rows).view({rows, width_}));
  to.narrow(0, in_rows, range.count - in_rows).zero_();
}

void RowGradientSum::Begin(int64_t first_row, const at::Tensor& to) const {
  if (earlier_) {
    earlier_(first_row, to);
  } else {
    to.zero_();
  }
}

// Counts the tokens of each row, then deals them out in their order.
void RowGradientSum::SortByRow() {
  row_begins_.assign(rows_ + 1, 0);
  ForEachToken([this](int64_t id, const float*) { ++row_begins_[id + 1]; });
  std::partial_sum(row_begins_.begin(), row_begins_.end(), row_begins_.begin());
  by_row_.resize(row_begins_.back());
  std::vector<int64_t> next(row_begins_.begin(), row_begins_.end() - 1);
  ForEachToken([this, &next](int64_t id, const float* gradient) {
    by_row_[next[id]++] = gradient;
  });
}

template <typename Body>
void RowGradientSum::ForEachToken(Body body) const {
  for (const RowGradients& part : parts_) {
    const auto ids = part.rows.accessor<int64_t, 2>();
    const float* gradient = part.gradients.const_data_ptr<float>();
    for (int64_t sequence = 0; sequence < ids.size(0); ++sequence) {
      for (int64_t i = 0; i < ids.size(1); ++i, gradient += width_) {
        body(ids[sequence][i], gradient);
      }
    }
  }
}

}  // namespace hydra
