#include "worker/model/optimizer_step.h"

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "ATen/Parallel.h"
#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/zeros.h"
#include "ATen/ops/zeros_like.h"
#include "gtest/gtest.h"
#include "worker/model/test_models.h"

namespace hydra {
namespace {

constexpr int64_t kElements = 3 * 4096 + 16;
constexpr int64_t kSteps = 3;

struct Case {
  std::string name;
  Hyperparameters hyperparameters;
};

Hyperparameters Make(hydra::v1::Optimizer optimizer, double momentum,
                     double weight_decay) {
  hydra::v1::TrainSpec train;
  train.set_optim(optimizer);
  train.set_learning_rate(0.01);
  train.set_weight_decay(weight_decay);
  train.set_momentum(momentum);
  FillOptimizerDefaults(train);
  return At(train, /*step=*/0, /*total_steps=*/kSteps);
}

std::vector<Case> Cases() {
  using namespace hydra::v1;
  return {{"Sgd", Make(OPTIMIZER_SGD, 0, 0)},
          {"SgdDecay", Make(OPTIMIZER_SGD, 0, 0.1)},
          {"Momentum", Make(OPTIMIZER_SGD, 0.9, 0.1)},
          {"Adam", Make(OPTIMIZER_ADAM, 0, 0.1)},
          {"AdamW", Make(OPTIMIZER_ADAMW, 0, 0.1)},
          {"Lion", Make(OPTIMIZER_LION, 0, 0.1)}};
}

struct State {
  at::Tensor parameters = RandomTensor({kElements}, 1);
  at::Tensor first = at::zeros({kElements});
  at::Tensor second = at::zeros({kElements});

  bool operator==(const State& other) const {
    return parameters.equal(other.parameters) && first.equal(other.first) &&
           second.equal(other.second);
  }
};

at::Tensor Gradient(int64_t step) {
  return RandomTensor({kElements}, 100 + step);
}

// Updates in ranges of `range_elements`.
State Train(const Hyperparameters& h, int64_t range_elements) {
  State state;
  for (int64_t step = 1; step <= kSteps; ++step) {
    const at::Tensor gradient = Gradient(step);
    for (int64_t i = 0; i < kElements; i += range_elements) {
      const int64_t n = std::min(range_elements, kElements - i);
      UpdateRange(ScalarsAt(h, step), state.parameters.narrow(0, i, n),
                  gradient.narrow(0, i, n), state.first.narrow(0, i, n),
                  state.second.narrow(0, i, n));
    }
  }
  return state;
}

// PyTorch's documentation, and that of Lion's authors, in double.
at::Tensor Documented(const Hyperparameters& h) {
  at::Tensor w = State().parameters.to(at::kDouble);
  at::Tensor m = at::zeros_like(w), v = at::zeros_like(w);
  for (int64_t step = 1; step <= kSteps; ++step) {
    at::Tensor g = Gradient(step).to(at::kDouble);
    if (h.optimizer == hydra::v1::OPTIMIZER_LION) {
      w = w - h.learning_rate * ((h.beta1 * m + (1 - h.beta1) * g).sign() +
                                 h.weight_decay * w);
      m = h.beta2 * m + (1 - h.beta2) * g;
      continue;
    }
    if (h.optimizer == hydra::v1::OPTIMIZER_ADAMW) {
      w = w * (1 - h.learning_rate * h.weight_decay);
    } else {
      g = g + h.weight_decay * w;
    }
    if (h.optimizer == hydra::v1::OPTIMIZER_SGD) {
      m = step == 1 ? g : h.momentum * m + g;
      w = w - h.learning_rate * m;
      continue;
    }
    m = h.beta1 * m + (1 - h.beta1) * g;
    v = h.beta2 * v + (1 - h.beta2) * g * g;
    w = w - h.learning_rate * (m / (1 - std::pow(h.beta1, step))) /
                ((v / (1 - std::pow(h.beta2, step))).sqrt() + h.epsilon);
  }
  return w;
}

class OptimizerStepTest : public testing::TestWithParam<Case> {
 protected:
  const Hyperparameters& h() const { return GetParam().hyperparameters; }
};

INSTANTIATE_TEST_SUITE_P(All, OptimizerStepTest, testing::ValuesIn(Cases()),
                         [](const testing::TestParamInfo<Case>& info) {
                           return info.param.name;
                         });

TEST_P(OptimizerStepTest, UpdatesAsDocumented) {
  EXPECT_LT(RelativeDifference(Train(h(), kElements).parameters.to(at::kDouble),
                               Documented(h())),
            1e-6);
}

TEST_P(OptimizerStepTest, AnyRangingGivesTheSameBits) {
  const State whole = Train(h(), kElements);
  for (int64_t range : {16, 48, 1024, 4096 + 16}) {
    EXPECT_TRUE(Train(h(), range) == whole) << range;
  }
}

TEST_P(OptimizerStepTest, AnyNumberOfThreadsGivesTheSameBits) {
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const State one = Train(h(), kElements);
  for (int count : {2, 3}) {
    at::set_num_threads(count);
    EXPECT_TRUE(Train(h(), kElements) == one) << count;
  }
  at::set_num_threads(threads);
}

TEST_P(OptimizerStepTest, FromOneVersionToAnotherIsTheSameAsInPlace) {
  const State from;
  const UpdateScalars scalars = ScalarsAt(h(), 1);
  State in_place;
  UpdateRange(scalars, in_place.parameters, Gradient(1), in_place.first,
              in_place.second);
  State to;
  const at::Tensor copied = at::zeros({kElements});
  const bool has_second = h().optimizer == hydra::v1::OPTIMIZER_ADAM ||
                          h().optimizer == hydra::v1::OPTIMIZER_ADAMW;
  const bool has_first =
      h().optimizer != hydra::v1::OPTIMIZER_SGD || h().momentum != 0;
  const auto moments_of = [&](const State& state) {
    return std::array<at::Tensor, kMostMoments>{
        has_first ? state.first : at::Tensor(),
        has_second ? state.second : at::Tensor()};
  };
  UpdateRange(scalars, Gradient(1), {from.parameters, moments_of(from)},
              {to.parameters, moments_of(to)}, copied);
  EXPECT_TRUE(to == in_place);
  EXPECT_TRUE(copied.equal(to.parameters));
  EXPECT_TRUE(from == State());
}

TEST_P(OptimizerStepTest,
       AMasterIsUpdatedAsAParameterAndRoundedAsLibTorchDoes) {
  const bool has_second = h().optimizer == hydra::v1::OPTIMIZER_ADAM ||
                          h().optimizer == hydra::v1::OPTIMIZER_ADAMW;
  const bool has_first =
      h().optimizer != hydra::v1::OPTIMIZER_SGD || h().momentum != 0;
  const auto range_of = [&](const State& state, const at::Tensor& parameters) {
    return VersionRange{parameters,
                        {has_first ? state.first : at::Tensor(),
                         has_second ? state.second : at::Tensor()},
                        state.parameters};
  };
  const at::Tensor unread = at::zeros({kElements}).to(at::kBFloat16);
  State plain, in_place;
  const at::Tensor parameters = unread.clone();
  for (int64_t step = 1; step <= kSteps; ++step) {
    const UpdateScalars scalars = ScalarsAt(h(), step);
    const State from = {in_place.parameters.clone(), in_place.first.clone(),
                        in_place.second.clone()};
    UpdateRange(scalars, plain.parameters, Gradient(step), plain.first,
                plain.second);
    UpdateRange(scalars, Gradient(step), range_of(in_place, parameters));
    EXPECT_TRUE(in_place == plain) << step;
    EXPECT_TRUE(parameters.equal(plain.parameters.to(at::kBFloat16)));
    State to;
    const at::Tensor made = unread.clone(), copied = unread.clone();
    UpdateRange(scalars, Gradient(step), range_of(from, unread),
                range_of(to, made), copied);
    EXPECT_TRUE(to.parameters.equal(plain.parameters)) << step;
    EXPECT_TRUE(made.equal(parameters));
    EXPECT_TRUE(copied.equal(parameters));
    EXPECT_TRUE(unread.eq(0).all().item<bool>());
  }
}

TEST_P(OptimizerStepTest, TheGradientIsOnlyRead) {
  State state;
  const at::Tensor gradient = Gradient(1);
  UpdateRange(ScalarsAt(h(), 1), state.parameters, gradient, state.first,
              state.second);
  EXPECT_TRUE(gradient.equal(Gradient(1)));
}

TEST_P(OptimizerStepTest, PaddingStaysZero) {
  State state;
  state.parameters.zero_();
  const at::Tensor gradient = at::zeros({kElements});
  for (int64_t step = 1; step <= kSteps; ++step) {
    UpdateRange(ScalarsAt(h(), step), state.parameters, gradient, state.first,
                state.second);
  }
  for (const at::Tensor& t : {state.parameters, state.first, state.second}) {
    EXPECT_TRUE(t.eq(0).all().item<bool>());
  }
}

TEST(SgdTest, NeedsNoMomentsWithoutMomentum) {
  State state;
  UpdateRange(ScalarsAt(Make(hydra::v1::OPTIMIZER_SGD, 0, 0), 1),
              state.parameters, Gradient(1), at::Tensor(), at::Tensor());
  EXPECT_FALSE(state.parameters.equal(State().parameters));
}

TEST(UnknownOptimizerTest, IsRefusedAndNotTakenForAnother) {
  EXPECT_THROW(ScalarsAt(Make(static_cast<hydra::v1::Optimizer>(77), 0, 0), 1),
               c10::Error);
}

}  // namespace
}  // namespace hydra
