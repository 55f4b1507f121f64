#include "worker/model/finite_check.h"

#include <cmath>
#include <cstring>

#include "ATen/ops/aminmax.h"
#include "c10/core/GradMode.h"

namespace hydra {

bool AllFinite(const at::Tensor& tensor) {
  const at::NoGradGuard no_grad;
  // One NaN makes both of them NaN.
  const auto [smallest, largest] = at::aminmax(tensor);
  return std::isfinite(smallest.item<float>()) &&
         std::isfinite(largest.item<float>());
}

bool AllFinite(const float* floats, int64_t count) {
  // All bits of the exponent are set in those, and in no others. Without a
  // branch, so that several are looked at at once.
  constexpr uint32_t kExponent = 0x7f800000;
  uint32_t any = 0;
  for (int64_t i = 0; i < count; ++i) {
    uint32_t bits;
    std::memcpy(&bits, floats + i, sizeof(bits));
    any |= (bits & kExponent) == kExponent ? 1 : 0;
  }
  return any == 0;
}

}  // namespace hydra
