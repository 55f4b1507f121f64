#ifndef HYDRA_COMMON_MODEL_QUANTIZED_ROWS_H_
#define HYDRA_COMMON_MODEL_QUANTIZED_ROWS_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "common/model/model_table.h"

namespace hydra {

// How a block of kInt8 lies. Its matrices, tensors of two dimensions, are
// quantized row by row: a row is its scale, a kFloat32, then an int8 for each
// of its numbers, then zeros up to a multiple of 4 bytes, so that each row can
// be moved, gathered and read by itself. Each number stands for scale * int8.
// All other tensors lie as in a block of kFloat32. Pure.

inline constexpr int64_t kRowScaleBytes = kFloatBytes;

// Of a row of so many numbers of kInt8, scale included.
int64_t QuantizedRowBytes(int64_t width);

// Of a row of a block's matrix, whatever the block's type is.
int64_t StoredRowBytes(ElementType block_type, int64_t width);

// As what the tensor lies in a block of this type: in one of kInt8 a matrix as
// kInt8, anything else as kFloat32.
ElementType StoredType(ElementType block_type, const TensorEntry& tensor);

// What the tensor takes there, without what follows it up to the next one.
int64_t StoredBytes(ElementType block_type, const TensorEntry& tensor);

// Writes the row: the scale is its largest magnitude / 127, in float32; each
// int8 is the number / scale, in float32, rounded to the nearest whole number,
// of two that are as near to the even one. Numbers below float32's normal range
// are 0, and so are rows of which the scale is. So the bytes depend on the
// row's numbers alone.
//
// Requires QuantizedRowBytes(row.size()) at `to`, aligned for a float.
// INVALID_ARGUMENT: a number is infinite or none; what is at `to` is undefined.
absl::Status QuantizeRow(absl::Span<const float> row, std::byte* to);

// What rows of so many numbers stand for, as many as there is room for in `to`,
// each product rounded to float32.
// Requires whole rows of `to`.
void DequantizeRows(const std::byte* rows, int64_t width, absl::Span<float> to);

}  // namespace hydra

#endif  // HYDRA_COMMON_MODEL_QUANTIZED_ROWS_H_
