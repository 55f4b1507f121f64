#include "worker/model/dropout.h"

#include <algorithm>

#include "ATen/core/Tensor.h"
#include "ATen/ops/arange.h"
#include "c10/core/GradMode.h"
#include "c10/util/Exception.h"
#include "worker/model/dropout_kernel.h"
#include "worker/model/parallel_for.h"

namespace hydra {
namespace {

// Less than this is not worth a second thread.
constexpr int64_t kGrain = int64_t{1} << 15;
// Eight bytes of device memory for each.
constexpr int64_t kPlacesAtOnce = int64_t{1} << 18;

// As Mixed of one place. `places` are below 2^32.
void Mix(const at::Tensor& places) {
  places.bitwise_xor_(places.__rshift__(16));
  places.mul_(static_cast<int64_t>(kMixFactor1)).bitwise_and_(0xffffffff);
  places.bitwise_xor_(places.__rshift__(15));
  places.mul_(static_cast<int64_t>(kMixFactor2)).bitwise_and_(0xffffffff);
  places.bitwise_xor_(places.__rshift__(16));
}

}  // namespace

void DropOut(const at::Tensor& tensor, const Dropout& dropout,
             int64_t first_place) {
  if (dropout.probability == 0) return;
  TORCH_CHECK(tensor.is_contiguous(), "dropout in a tensor with strides ",
              tensor.strides());
  if (!tensor.device().is_cpu()) {
    DropOutByOperations(tensor, dropout, first_place);
    return;
  }
  float* const numbers = tensor.mutable_data_ptr<float>();
  ForEachDropRange(
      dropout.seed, first_place, tensor.numel(),
      [&](const DropKeys& keys, uint32_t place, int64_t first, int64_t count) {
        ParallelFor(0, count, kGrain, [&](int64_t begin, int64_t end) {
          DropElements(keys, ThresholdOf(dropout.probability),
                       KeptFactor(dropout.probability),
                       place + static_cast<uint32_t>(begin), end - begin,
                       numbers + first + begin);
        });
      });
}

void DropOutByOperations(const at::Tensor& tensor, const Dropout& dropout,
                         int64_t first_place) {
  const at::NoGradGuard no_grad;
  const at::Tensor flat = tensor.view({-1});
  const auto drop = [&](const DropKeys& keys, int64_t place, int64_t first,
                        int64_t count) {
    const at::Tensor places =
        at::arange(place, place + count, flat.options().dtype(at::kLong));
    places.bitwise_xor_(static_cast<int64_t>(keys.first));
    Mix(places);
    places.bitwise_xor_(static_cast<int64_t>(keys.second));
    Mix(places);
    flat.narrow(0, first, count)
        .mul_(KeptFactor(dropout.probability))
        .masked_fill_(
            places.lt(static_cast<int64_t>(ThresholdOf(dropout.probability))),
            0);
  };
  ForEachDropRange(
      dropout.seed, first_place, flat.numel(),
      [&](const DropKeys& keys, uint32_t place, int64_t first, int64_t count) {
        for (int64_t i = 0; i < count; i += kPlacesAtOnce) {
          drop(keys, place + i, first + i, std::min(kPlacesAtOnce, count - i));
        }
      });
}

}  // namespace hydra
