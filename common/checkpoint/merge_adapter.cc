#include "common/checkpoint/merge_adapter.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/model/quantized_rows.h"
#include "common/safetensors/float_conversion.h"

namespace hydra {
namespace {

constexpr int64_t kPieceElements = 1 << 16;
// Columns whose sums stay in registers.
constexpr int64_t kColumns = 16;

// `matrix` is [rows, columns]; the result [columns, rows].
std::vector<float> Transposed(const float* matrix, int64_t rows,
                              int64_t columns) {
  std::vector<float> transposed(rows * columns);
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t column = 0; column < columns; ++column) {
      transposed[column * rows + row] = matrix[row * columns + column];
    }
  }
  return transposed;
}

// sums[c] = the sum over k of left[k] * right[k * stride + c]. The number of
// columns is a constant so that the compiler takes several at once.
void MultiplyColumns(const float* left, const float* right, int64_t r,
                     int64_t stride, float* to) {
  float sums[kColumns] = {};
  for (int64_t k = 0; k < r; ++k) {
    const float factor = left[k];
    const float* const row = right + k * stride;
    for (int64_t c = 0; c < kColumns; ++c) sums[c] += factor * row[c];
  }
  std::copy_n(sums, kColumns, to);
}

// One row of a product: left is [r], right [r, columns].
void MultiplyRow(const float* left, const float* right, int64_t r,
                 int64_t columns, float* to) {
  int64_t column = 0;
  for (; column + kColumns <= columns; column += kColumns) {
    MultiplyColumns(left, right + column, r, columns, to + column);
  }
  for (; column < columns; ++column) {
    float sum = 0;
    for (int64_t k = 0; k < r; ++k)
      sum += left[k] * right[k * columns + column];
    to[column] = sum;
  }
}

// Rows from `first` on, of so many columns.
void Widen(const AdaptedWeight& adapted, int64_t first, int64_t columns,
           absl::Span<float> to) {
  const ElementType type = adapted.type;
  const std::byte* const bytes =
      adapted.bytes + first * StoredRowBytes(type, columns);
  if (type == ElementType::kFloat32) {
    std::memcpy(to.data(), bytes, to.size() * sizeof(float));
    return;
  }
  if (type == ElementType::kInt8) return DequantizeRows(bytes, columns, to);
  // Tensors are aligned for any element.
  const auto from =
      absl::MakeConstSpan(reinterpret_cast<const uint16_t*>(bytes), to.size());
  type == ElementType::kBFloat16 ? safetensors::WidenBF16(from, to)
                                 : safetensors::WidenF16(from, to);
}

// Rounds to a type of two bytes.
absl::Status Narrow(const AdaptedWeight& adapted,
                    absl::Span<const float> numbers, absl::Span<uint16_t> to) {
  if (adapted.type == ElementType::kBFloat16) {
    safetensors::NarrowBF16(numbers, to);
    return absl::OkStatus();
  }
  // What lies at least halfway to the number behind the largest.
  constexpr float kTooLarge = 65520;
  for (float number : numbers) {
    if (std::abs(number) < kTooLarge || !std::isfinite(number)) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "tensor ", adapted.weight->name, " has a value of ", number,
        " once its adapter is merged, and float16 ends at 65504; "
        "model.frozen_dtype: bfloat16 has room for it"));
  }
  safetensors::NarrowF16(numbers, to);
  return absl::OkStatus();
}

}  // namespace

absl::Status MergeAdapter(
    const AdaptedWeight& adapted,
    absl::FunctionRef<absl::Status(const std::byte* bytes, int64_t size_bytes)>
        write) {
  const int64_t rows = adapted.weight->shape[0];
  const int64_t columns = adapted.weight->shape[1];
  const int64_t r = adapted.r;
  // What is added is left [rows, r] times right [r, columns].
  const float* left = adapted.lora_b;
  const float* right = adapted.lora_a;
  std::vector<float> a, b;
  if (adapted.weight->linear == LinearLayout::kInOut) {
    a = Transposed(adapted.lora_a, r, rows);
    b = Transposed(adapted.lora_b, columns, r);
    left = a.data();
    right = b.data();
  }
  const auto scale = static_cast<float>(adapted.scale);
  const bool has_two_bytes = adapted.type == ElementType::kBFloat16 ||
                             adapted.type == ElementType::kFloat16;
  const int64_t made_bytes =
      has_two_bytes ? ElementBytes(adapted.type) : kFloatBytes;
  const int64_t rows_at_once =
      std::clamp<int64_t>(kPieceElements / columns, 1, rows);
  std::vector<float> merged(rows_at_once * columns);
  std::vector<float> added(columns);
  std::vector<uint16_t> rounded(has_two_bytes ? merged.size() : 0);
  for (int64_t first = 0; first < rows; first += rows_at_once) {
    const int64_t piece_rows = std::min(rows_at_once, rows - first);
    const absl::Span<float> piece =
        absl::MakeSpan(merged.data(), piece_rows * columns);
    Widen(adapted, first, columns, piece);
    for (int64_t row = 0; row < piece_rows; ++row) {
      MultiplyRow(left + (first + row) * r, right, r, columns, added.data());
      float* const to = piece.data() + row * columns;
      for (int64_t c = 0; c < columns; ++c) to[c] += scale * added[c];
    }
    const void* bytes = piece.data();
    if (has_two_bytes) {
      const auto to = absl::MakeSpan(rounded.data(), piece.size());
      absl::Status narrowed = Narrow(adapted, piece, to);
      if (!narrowed.ok()) return narrowed;
      bytes = to.data();
    }
    absl::Status status =
        write(static_cast<const std::byte*>(bytes), piece.size() * made_bytes);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace hydra
