#ifndef HYDRA_COMMON_SAFETENSORS_FLOAT_CONVERSION_H_
#define HYDRA_COMMON_SAFETENSORS_FLOAT_CONVERSION_H_

#include <cstdint>

#include "absl/types/span.h"

namespace hydra::safetensors {

// Widen bit patterns of IEEE binary16, and of bfloat16, to float. Every value
// is kept exactly: subnormals, infinities and signed zeros too, also on a
// thread that flushes subnormals. A NaN keeps its sign and payload.
// `to` must have the size of `from`, and not overlap with it.
void WidenF16(absl::Span<const uint16_t> from, absl::Span<float> to);
void WidenBF16(absl::Span<const uint16_t> from, absl::Span<float> to);

// Round floats to the nearest value of IEEE binary16, and of bfloat16; of two
// that are as near, to the one whose last bit is 0. What is too large becomes
// infinite, and a NaN stays one, with its sign.
// `to` must have the size of `from`, and not overlap with it.
void NarrowF16(absl::Span<const float> from, absl::Span<uint16_t> to);
void NarrowBF16(absl::Span<const float> from, absl::Span<uint16_t> to);

}  // namespace hydra::safetensors

#endif  // HYDRA_COMMON_SAFETENSORS_FLOAT_CONVERSION_H_
