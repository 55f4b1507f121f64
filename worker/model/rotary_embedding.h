#ifndef HYDRA_WORKER_MODEL_ROTARY_EMBEDDING_H_
#define HYDRA_WORKER_MODEL_ROTARY_EMBEDDING_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "ATen/core/Tensor.h"

namespace hydra {

// Rotary position embeddings of the heads of queries and keys, as transformers
// pairs numbers: the first half of a head with the second. Nothing is recorded.
// Immutable.
//
// A token's angles follow from its place alone: the product of place and
// frequency in fp32, as transformers has it, and its cosine and sine rounded
// from double. No table is kept.
class RotaryEmbedding {
 public:
  // By how many radians each pair turns from one token to the next.
  explicit RotaryEmbedding(std::vector<float> frequencies)
      : frequencies_(std::move(frequencies)) {}

  enum class Direction {
    kForward,
    // Undoes kForward, which is what its gradient needs.
    kBack,
  };

  // In place. `rows` is fp32 and contiguous, [sequences * context, heads * 2 *
  // pairs].
  void Rotate(const at::Tensor& rows, int64_t context,
              Direction direction) const;

  // Rotate in LibTorch's operations, as it goes for a tensor that is not in
  // host memory: the same bits.
  void RotateByOperations(const at::Tensor& rows, int64_t context,
                          Direction direction) const;

 private:
  int64_t pairs() const { return static_cast<int64_t>(frequencies_.size()); }
  // Cosines and sines of the token at `place`.
  void AnglesAt(int64_t place, Direction direction, float* cosines,
                float* sines) const;

  const std::vector<float> frequencies_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_ROTARY_EMBEDDING_H_
