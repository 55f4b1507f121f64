#include "common/model/quantized_rows.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "absl/strings/str_cat.h"

namespace hydra {
namespace {

constexpr float kLargestInt8 = 127;
constexpr float kLeastNormal = std::numeric_limits<float>::min();
constexpr size_t kMatrixDimensions = 2;

// To the nearest whole number, of two that are as near to the even one, of
// numbers up to 2^22: what is added leaves no room for a fraction.
float RoundedToWhole(float number) {
  constexpr float kNoFraction = 0x1.8p23f;
  return (number + kNoFraction) - kNoFraction;
}

}  // namespace

int64_t QuantizedRowBytes(int64_t width) {
  return kRowScaleBytes + (width + kFloatBytes - 1) / kFloatBytes * kFloatBytes;
}

int64_t StoredRowBytes(ElementType block_type, int64_t width) {
  return block_type == ElementType::kInt8 ? QuantizedRowBytes(width)
                                          : width * ElementBytes(block_type);
}

ElementType StoredType(ElementType block_type, const TensorEntry& tensor) {
  const bool is_float = block_type == ElementType::kInt8 &&
                        tensor.shape.size() != kMatrixDimensions;
  return is_float ? ElementType::kFloat32 : block_type;
}

int64_t StoredBytes(ElementType block_type, const TensorEntry& tensor) {
  const ElementType type = StoredType(block_type, tensor);
  return type == ElementType::kInt8
             ? tensor.shape[0] * QuantizedRowBytes(tensor.shape[1])
             : tensor.element_count * ElementBytes(type);
}

absl::Status QuantizeRow(absl::Span<const float> row, std::byte* to) {
  float largest = 0;
  for (float number : row) {
    if (!std::isfinite(number)) {
      return absl::InvalidArgumentError(
          absl::StrCat("a value of ", number, ", for which int8 has no scale"));
    }
    largest = std::max(largest, std::abs(number));
  }
  float scale = largest / kLargestInt8;
  if (scale < kLeastNormal) scale = 0;
  std::memcpy(to, &scale, sizeof(scale));
  auto* const numbers = reinterpret_cast<int8_t*>(to + kRowScaleBytes);
  const auto width = static_cast<int64_t>(row.size());
  for (int64_t i = 0; i < width; ++i) {
    const bool is_zero = scale == 0 || std::abs(row[i]) < kLeastNormal;
    numbers[i] = is_zero ? int8_t{0}
                         : static_cast<int8_t>(RoundedToWhole(row[i] / scale));
  }
  std::fill(numbers + width,
            numbers + QuantizedRowBytes(width) - kRowScaleBytes, int8_t{0});
  return absl::OkStatus();
}

void DequantizeRows(const std::byte* rows, int64_t width,
                    absl::Span<float> to) {
  const auto count = static_cast<int64_t>(to.size()) / width;
  for (int64_t row = 0; row < count; ++row) {
    const std::byte* const begin = rows + row * QuantizedRowBytes(width);
    float scale = 0;
    std::memcpy(&scale, begin, sizeof(scale));
    const auto* const numbers =
        reinterpret_cast<const int8_t*>(begin + kRowScaleBytes);
    float* const made = to.data() + row * width;
    for (int64_t i = 0; i < width; ++i) {
      made[i] = static_cast<float>(numbers[i]) * scale;
    }
  }
}

}  // namespace hydra
