#include "worker/model/parallel_for.h"

#include "ATen/TensorIterator.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/from_blob.h"
#include "c10/util/Exception.h"

namespace hydra {

void ParallelFor(int64_t begin, int64_t end, int64_t grain,
                 absl::FunctionRef<void(int64_t first, int64_t last)> body) {
  if (begin >= end) return;
  // An iteration over bytes that nobody touches: where a range of them begins
  // tells which one it is.
  char bytes = 0;
  at::Tensor range = at::from_blob(&bytes, {end - begin}, at::kByte);
  at::TensorIterator iterator = at::TensorIterator::nullary_op(range);
  iterator.for_each(
      [&](char** data, const int64_t* /*strides*/, int64_t count,
          int64_t rows) {
        TORCH_CHECK(rows == 1, rows, " rows of a flat tensor");
        const int64_t first = begin + (data[0] - &bytes);
        body(first, first + count);
      },
      grain);
}

}  // namespace hydra
