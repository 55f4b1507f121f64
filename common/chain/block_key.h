#ifndef HYDRA_COMMON_CHAIN_BLOCK_KEY_H_
#define HYDRA_COMMON_CHAIN_BLOCK_KEY_H_

#include <tuple>
#include <utility>

#include "hydra/worker/v1/worker.pb.h"

namespace hydra {

// Names one block of a job: its kind, which one of that kind (a parameter block
// or a boundary, see worker.proto), and for boundaries the micro-batch, for the
// sum of a layer's gradients the layer.
struct BlockKey {
  worker::v1::BlockKind kind = worker::v1::BLOCK_KIND_UNSPECIFIED;
  int index = 0;
  int micro_batch = 0;

  friend bool operator==(const BlockKey& a, const BlockKey& b) {
    return std::tie(a.kind, a.index, a.micro_batch) ==
           std::tie(b.kind, b.index, b.micro_batch);
  }
  friend bool operator<(const BlockKey& a, const BlockKey& b) {
    return std::tie(a.kind, a.index, a.micro_batch) <
           std::tie(b.kind, b.index, b.micro_batch);
  }
  template <typename H>
  friend H AbslHashValue(H state, const BlockKey& key) {
    return H::combine(std::move(state), static_cast<int>(key.kind), key.index,
                      key.micro_batch);
  }
};

inline BlockKey ParametersKey(int block) {
  return {worker::v1::BLOCK_KIND_PARAMETERS, block, 0};
}
inline BlockKey StateKey(int block) {
  return {worker::v1::BLOCK_KIND_OPTIMIZER_STATE, block, 0};
}
inline BlockKey ParameterGradientKey(int block) {
  return {worker::v1::BLOCK_KIND_PARAMETER_GRADIENT, block, 0};
}
inline BlockKey GradientSquaresKey(int block) {
  return {worker::v1::BLOCK_KIND_GRADIENT_SQUARES, block, 0};
}
inline BlockKey GradientSumKey(int block, int layer) {
  return {worker::v1::BLOCK_KIND_GRADIENT_SUM, block, layer};
}
inline BlockKey ActivationKey(int layer, int micro_batch) {
  return {worker::v1::BLOCK_KIND_ACTIVATION, layer, micro_batch};
}
inline BlockKey ActivationGradientKey(int layer, int micro_batch) {
  return {worker::v1::BLOCK_KIND_ACTIVATION_GRADIENT, layer, micro_batch};
}

// The block of a message that names one: a worker's BlockVersion, a journal's
// BlockRecord.
template <typename Message>
BlockKey BlockKeyOf(const Message& message) {
  return {message.kind(), message.index(), message.micro_batch()};
}
template <typename Message>
void SetBlockKey(const BlockKey& key, Message& message) {
  message.set_kind(key.kind);
  message.set_index(key.index);
  message.set_micro_batch(key.micro_batch);
}

// Crosses a cut, one for each micro-batch.
inline bool IsBoundary(const BlockKey& key) {
  return key.kind == worker::v1::BLOCK_KIND_ACTIVATION ||
         key.kind == worker::v1::BLOCK_KIND_ACTIVATION_GRADIENT;
}

// What training changes and keeps: parameters and optimizer state. All other
// blocks last for a part of a step, or of an evaluation.
inline bool IsTrained(const BlockKey& key) {
  return key.kind == worker::v1::BLOCK_KIND_PARAMETERS ||
         key.kind == worker::v1::BLOCK_KIND_OPTIMIZER_STATE;
}

}  // namespace hydra

#endif  // HYDRA_COMMON_CHAIN_BLOCK_KEY_H_
