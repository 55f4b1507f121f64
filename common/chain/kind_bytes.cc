#include "common/chain/kind_bytes.h"

namespace hydra {

namespace wv1 = hydra::worker::v1;

void AddBytes(wv1::BlockKind kind, int64_t bytes, hydra::v1::KindBytes& sum) {
  switch (kind) {
    case wv1::BLOCK_KIND_PARAMETERS:
      sum.set_parameters(sum.parameters() + bytes);
      break;
    case wv1::BLOCK_KIND_OPTIMIZER_STATE:
      sum.set_optimizer_state(sum.optimizer_state() + bytes);
      break;
    case wv1::BLOCK_KIND_ACTIVATION:
      sum.set_activations(sum.activations() + bytes);
      break;
    case wv1::BLOCK_KIND_ACTIVATION_GRADIENT:
      sum.set_activation_gradients(sum.activation_gradients() + bytes);
      break;
    case wv1::BLOCK_KIND_PARAMETER_GRADIENT:
    case wv1::BLOCK_KIND_GRADIENT_SUM:
      sum.set_parameter_gradients(sum.parameter_gradients() + bytes);
      break;
    default:
      break;
  }
}

void AddBytes(const hydra::v1::KindBytes& more, hydra::v1::KindBytes& sum) {
  AddBytes(wv1::BLOCK_KIND_PARAMETERS, more.parameters(), sum);
  AddBytes(wv1::BLOCK_KIND_OPTIMIZER_STATE, more.optimizer_state(), sum);
  AddBytes(wv1::BLOCK_KIND_ACTIVATION, more.activations(), sum);
  AddBytes(wv1::BLOCK_KIND_ACTIVATION_GRADIENT, more.activation_gradients(),
           sum);
  AddBytes(wv1::BLOCK_KIND_PARAMETER_GRADIENT, more.parameter_gradients(), sum);
}

}  // namespace hydra
