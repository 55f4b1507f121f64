#include "worker/model/optimizer_step.h"

#include <algorithm>
#include <cmath>

#include "ATen/core/Tensor.h"
#include "c10/util/Exception.h"
#include "worker/model/parallel_for.h"

namespace hydra {
namespace {

// What a thread takes at once, at least: some microseconds of work.
constexpr int64_t kElementsOfThread = 1 << 13;
// Threads share the work out in such pieces, so that none begins inside of a
// cache line.
constexpr int64_t kLineElements = 16;

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

// Bias is not corrected: signs have none.
UpdateScalars LionScalars(const Hyperparameters& h) {
  UpdateScalars scalars;
  scalars.rule = UpdateScalars::Rule::kLion;
  scalars.kept_first = static_cast<float>(h.beta1);
  scalars.into_first = static_cast<float>(1 - h.beta1);
  scalars.kept_second = static_cast<float>(h.beta2);
  scalars.into_second = static_cast<float>(1 - h.beta2);
  scalars.step_size = static_cast<float>(h.learning_rate);
  scalars.kept_parameter =
      static_cast<float>(1 - h.learning_rate * h.weight_decay);
  return scalars;
}

uint16_t* BFloat16Of(const at::Tensor& tensor) {
  return reinterpret_cast<uint16_t*>(tensor.mutable_data_ptr<at::BFloat16>());
}

UpdateArrays ArraysOf(const at::Tensor& gradient, const VersionRange& from,
                      const VersionRange& to) {
  TORCH_CHECK(gradient.is_cpu(), "updates are computed in host memory, not on ",
              gradient.device());
  UpdateArrays arrays;
  arrays.gradient = gradient.const_data_ptr<float>();
  if (to.master.defined()) {
    arrays.parameters = from.master.const_data_ptr<float>();
    arrays.new_parameters = to.master.mutable_data_ptr<float>();
    arrays.rounded_parameters[0] = BFloat16Of(to.parameters);
  } else {
    arrays.parameters = from.parameters.const_data_ptr<float>();
    arrays.new_parameters = to.parameters.mutable_data_ptr<float>();
  }
  arrays.copied_parameters = arrays.new_parameters;
  for (int i = 0; i < kMostMoments; ++i) {
    if (!to.moments[i].defined()) continue;
    arrays.moments[i] = from.moments[i].const_data_ptr<float>();
    arrays.new_moments[i] = to.moments[i].mutable_data_ptr<float>();
  }
  return arrays;
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
    case hydra::v1::OPTIMIZER_LION:
      return LionScalars(h);
    // It updates whole tensors, see adafactor.h.
    case hydra::v1::OPTIMIZER_ADAFACTOR:
    case hydra::v1::OPTIMIZER_UNSPECIFIED:
    case hydra::v1::Optimizer_INT_MIN_SENTINEL_DO_NOT_USE_:
    case hydra::v1::Optimizer_INT_MAX_SENTINEL_DO_NOT_USE_:
      break;
  }
  TORCH_CHECK(false, "no optimizer that updates number by number is number ",
              static_cast<int>(h.optimizer));
}

void UpdateAll(const UpdateScalars& scalars, const UpdateArrays& arrays,
               int64_t count) {
  ParallelFor(0, (count + kLineElements - 1) / kLineElements,
              kElementsOfThread / kLineElements,
              [&](int64_t first, int64_t last) {
                UpdateElements(scalars, arrays, first * kLineElements,
                               std::min(count, last * kLineElements));
              });
}

void UpdateRange(const UpdateScalars& scalars, const at::Tensor& parameters,
                 const at::Tensor& gradient, const at::Tensor& first_moment,
                 const at::Tensor& second_moment) {
  UpdateRange(scalars, gradient, {parameters, {first_moment, second_moment}});
}

void UpdateRange(const UpdateScalars& scalars, const at::Tensor& gradient,
                 const VersionRange& range) {
  UpdateAll(scalars, ArraysOf(gradient, range, range), gradient.numel());
}

void UpdateRange(const UpdateScalars& scalars, const at::Tensor& gradient,
                 const VersionRange& from, const VersionRange& to,
                 const at::Tensor& copied_parameters) {
  UpdateArrays arrays = ArraysOf(gradient, from, to);
  if (copied_parameters.defined() && to.master.defined()) {
    arrays.rounded_parameters[1] = BFloat16Of(copied_parameters);
  } else if (copied_parameters.defined()) {
    arrays.copied_parameters = copied_parameters.mutable_data_ptr<float>();
  }
  arrays.past_caches = true;
  UpdateAll(scalars, arrays, gradient.numel());
}

}  // namespace hydra
