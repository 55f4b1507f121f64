#include "worker/model/optimizer_step.h"

#include <cmath>

#include "ATen/core/Tensor.h"
#include "c10/util/Exception.h"
#include "worker/model/parallel_for.h"

namespace hydra {
namespace {

// What a thread takes at once, at least: some microseconds of work.
constexpr int64_t kElementsOfThread = 1 << 13;

UpdateScalars SgdScalars(const Hyperparameters& h) {
  UpdateScalars scalars;
  scalars.rule = h.momentum == 0 ? UpdateScalars::Rule::kSgd
                                 : UpdateScalars::Rule::kMomentum;
  scalars.decay_into_gradient = static_cast<float>(h.weight_decay);
  scalars.step_size = static_cast<float>(h.learning_rate);
  scalars.kept_first = static_cast<float>(h.momentum);
  return scalars;
}

// But for where weights decay.
UpdateScalars AdamScalars(const Hyperparameters& h, int64_t step) {
  const auto steps = static_cast<double>(step);
  UpdateScalars scalars;
  scalars.rule = UpdateScalars::Rule::kAdam;
  scalars.kept_first = static_cast<float>(h.beta1);
  scalars.into_first = static_cast<float>(1 - h.beta1);
  scalars.kept_second = static_cast<float>(h.beta2);
  scalars.into_second = static_cast<float>(1 - h.beta2);
  scalars.step_size =
      static_cast<float>(h.learning_rate / (1 - std::pow(h.beta1, steps)));
  scalars.root_scale =
      static_cast<float>(1 / std::sqrt(1 - std::pow(h.beta2, steps)));
  scalars.epsilon = static_cast<float>(h.epsilon);
  return scalars;
}

}  // namespace

UpdateScalars ScalarsAt(const Hyperparameters& hyperparameters, int64_t step) {
  const Hyperparameters& h = hyperparameters;
  switch (h.optimizer) {
    case hydra::v1::OPTIMIZER_SGD:
      return SgdScalars(h);
    case hydra::v1::OPTIMIZER_ADAM: {
      UpdateScalars scalars = AdamScalars(h, step);
      scalars.decay_into_gradient = static_cast<float>(h.weight_decay);
      return scalars;
    }
    case hydra::v1::OPTIMIZER_ADAMW: {
      UpdateScalars scalars = AdamScalars(h, step);
      scalars.kept_parameter =
          static_cast<float>(1 - h.learning_rate * h.weight_decay);
      return scalars;
    }
    case hydra::v1::OPTIMIZER_UNSPECIFIED:
    case hydra::v1::Optimizer_INT_MIN_SENTINEL_DO_NOT_USE_:
    case hydra::v1::Optimizer_INT_MAX_SENTINEL_DO_NOT_USE_:
      break;
  }
  TORCH_CHECK(false, "no optimizer has the number ",
              static_cast<int>(h.optimizer));
}

void UpdateAll(const UpdateScalars& scalars, const UpdateArrays& arrays,
               int64_t count) {
  ParallelFor(0, count, kElementsOfThread, [&](int64_t first, int64_t last) {
    UpdateElements(scalars, arrays, first, last);
  });
}

void UpdateRange(const Hyperparameters& hyperparameters, int64_t step,
                 at::Tensor parameters, const at::Tensor& gradient,
                 at::Tensor first_moment, at::Tensor second_moment) {
  TORCH_CHECK(parameters.is_cpu(),
              "updates are computed in host memory, not on ",
              parameters.device());
  UpdateArrays arrays;
  arrays.new_parameters = parameters.mutable_data_ptr<float>();
  arrays.copied_parameters = arrays.new_parameters;
  arrays.parameters = arrays.new_parameters;
  arrays.gradient = gradient.const_data_ptr<float>();
  if (first_moment.defined()) {
    arrays.new_moments[0] = first_moment.mutable_data_ptr<float>();
  }
  if (second_moment.defined()) {
    arrays.new_moments[1] = second_moment.mutable_data_ptr<float>();
  }
  arrays.moments = {arrays.new_moments[0], arrays.new_moments[1]};
  UpdateAll(ScalarsAt(hyperparameters, step), arrays, parameters.numel());
}

}  // namespace hydra
