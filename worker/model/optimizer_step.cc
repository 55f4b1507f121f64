#include "worker/model/optimizer_step.h"

#include <vector>

#include "ATen/core/Tensor.h"
#include "ATen/ops/_fused_adam.h"
#include "ATen/ops/_fused_adamw.h"
#include "ATen/ops/_fused_sgd.h"
#include "ATen/ops/full.h"
#include "c10/core/GradMode.h"
#include "c10/util/Exception.h"

namespace hydra {
namespace {

void UpdateSgd(const Hyperparameters& h, int64_t step,
               at::TensorList parameters, at::TensorList gradient,
               const at::Tensor& momentum) {
  std::vector<at::Tensor> momenta;
  if (h.momentum != 0) momenta.push_back(momentum);
  at::_fused_sgd_(parameters, gradient, momenta, h.weight_decay, h.momentum,
                  h.learning_rate, /*dampening=*/0, /*nesterov=*/false,
                  /*maximize=*/false, /*is_first_step=*/step == 1);
}

using AdamUpdate = void (*)(at::TensorList, at::TensorList, at::TensorList,
                            at::TensorList, at::TensorList, at::TensorList,
                            double, double, double, double, double, bool, bool,
                            const std::optional<at::Tensor>&,
                            const std::optional<at::Tensor>&);

// Adam and AdamW; they differ in nothing but where weights decay.
void UpdateAdam(AdamUpdate update, const Hyperparameters& h, int64_t step,
                at::TensorList parameters, at::TensorList gradient,
                at::TensorList first_moment, at::TensorList second_moment) {
  const at::Tensor step_count = at::full({}, step, at::kFloat);
  update(parameters, gradient, first_moment, second_moment,
         /*max_exp_avg_sqs=*/{}, step_count, h.learning_rate, h.beta1, h.beta2,
         h.weight_decay, h.epsilon, /*amsgrad=*/false, /*maximize=*/false,
         /*grad_scale=*/{}, /*found_inf=*/{});
}

}  // namespace

void UpdateRange(const Hyperparameters& hyperparameters, int64_t step,
                 at::Tensor parameters, const at::Tensor& gradient,
                 at::Tensor first_moment, at::Tensor second_moment) {
  const at::NoGradGuard no_grad;
  switch (hyperparameters.optimizer) {
    case hydra::v1::OPTIMIZER_SGD:
      UpdateSgd(hyperparameters, step, parameters, gradient, first_moment);
      return;
    case hydra::v1::OPTIMIZER_ADAM:
      UpdateAdam(at::_fused_adam_, hyperparameters, step, parameters, gradient,
                 first_moment, second_moment);
      return;
    case hydra::v1::OPTIMIZER_ADAMW:
      UpdateAdam(at::_fused_adamw_, hyperparameters, step, parameters, gradient,
                 first_moment, second_moment);
      return;
    case hydra::v1::OPTIMIZER_UNSPECIFIED:
    case hydra::v1::Optimizer_INT_MIN_SENTINEL_DO_NOT_USE_:
    case hydra::v1::Optimizer_INT_MAX_SENTINEL_DO_NOT_USE_:
      break;
  }
  TORCH_CHECK(false, "no optimizer has the number ",
              static_cast<int>(hyperparameters.optimizer));
}

}  // namespace hydra
