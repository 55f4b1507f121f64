#include "common/checkpoint/tensor_sum.h"

#include <xxhash.h>

#include "absl/strings/str_format.h"

namespace hydra {

TensorSum::TensorSum() : state_(XXH3_createState()) {
  XXH3_64bits_reset(state_.get());
}

void TensorSum::Free::operator()(XXH3_state_s* state) const {
  XXH3_freeState(state);
}

void TensorSum::Add(const void* data, int64_t bytes) {
  XXH3_64bits_update(state_.get(), data, bytes);
}

uint64_t TensorSum::Value() const { return XXH3_64bits_digest(state_.get()); }

uint64_t SumOf(absl::string_view bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

std::string SumText(uint64_t sum) { return absl::StrFormat("%016x", sum); }

}  // namespace hydra
