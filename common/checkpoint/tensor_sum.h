#ifndef HYDRA_COMMON_CHECKPOINT_TENSOR_SUM_H_
#define HYDRA_COMMON_CHECKPOINT_TENSOR_SUM_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"

struct XXH3_state_s;

namespace hydra {

// Bytes are summed, written and read in pieces of this size, so that each piece
// is still in a core's cache for the second of the two.
inline constexpr int64_t kSumPieceBytes = 256 * 1024;

// The XXH3 sum (64 bits) of bytes that come piece by piece. Not thread-safe.
class TensorSum {
 public:
  TensorSum();

  void Add(const void* data, int64_t bytes);

  // Of all bytes so far.
  uint64_t Value() const;

 private:
  struct Free {
    void operator()(XXH3_state_s* state) const;
  };

  std::unique_ptr<XXH3_state_s, Free> state_;
};

uint64_t SumOf(absl::string_view bytes);

// 16 hexadecimal digits.
std::string SumText(uint64_t sum);

}  // namespace hydra

#endif  // HYDRA_COMMON_CHECKPOINT_TENSOR_SUM_H_
