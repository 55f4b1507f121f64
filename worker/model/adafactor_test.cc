#include "worker/model/adafactor.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "ATen/Parallel.h"
#include "common/model/factored_moments.h"
#include "common/model/model_table.h"
#include "common/model/optimizer.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

constexpr int kSteps = 4;

using Floats = std::vector<float>;
using Doubles = std::vector<double>;

// Enough for several threads and pieces, and no multiple of anything.
ParameterBlock Block() {
  ParameterBlock block;
  AddTensor("matrix", {301, 203}, TensorInit(), block);
  AddTensor("bias", {9001}, TensorInit(), block);
  AddTensor("kernel", {5, 3, 7, 11}, TensorInit(), block);
  AddTensor("row", {1, 33}, TensorInit(), block);
  return block;
}

Hyperparameters Make(double weight_decay) {
  Hyperparameters h;
  h.optimizer = hydra::v1::OPTIMIZER_ADAFACTOR;
  h.learning_rate = 0.01;
  h.weight_decay = weight_decay;
  return h;
}

Floats Draw(int64_t count, uint32_t seed, double size) {
  std::mt19937 random(seed);
  std::normal_distribution<double> numbers(0, size);
  Floats drawn(count);
  for (float& number : drawn) number = static_cast<float>(numbers(random));
  return drawn;
}

Floats Parameters(const ParameterBlock& block) {
  return Draw(block.element_count(), 1, 1);
}

// They grow, so that updates are clipped at some steps and not at others.
Floats Gradient(const ParameterBlock& block, int step) {
  return Draw(block.element_count(), 100 + step, 0.1 * step);
}

// In place.
Floats Train(const ParameterBlock& block, double weight_decay,
             bool decays_matrices_alone = false, float scale = 1) {
  Floats parameters = Parameters(block);
  Floats state(FactoredStateBytes(block) / kFloatBytes);
  for (int step = 1; step <= kSteps; ++step) {
    const Floats gradient = Gradient(block, step);
    AdafactorScalars scalars = AdafactorScalarsAt(Make(weight_decay), step);
    scalars.gradient_scale = scale;
    UpdateTensors(scalars, block, decays_matrices_alone,
                  {gradient.data(), parameters.data(), state.data(),
                   parameters.data(), state.data()});
  }
  return parameters;
}

// One tensor as transformers' Adafactor writes it down, in double.
Doubles Documented(const ParameterBlock& block, size_t tensor,
                   double weight_decay) {
  const FactoredMoments kept = FactoredMomentsOf(block)[tensor];
  const int64_t first = block.FirstElement(block.tensors[tensor]);
  const int64_t count = block.tensors[tensor].element_count;
  const Floats begin = Parameters(block);
  Doubles p(begin.begin() + first, begin.begin() + first + count);
  Doubles row(kept.matrices * kept.rows), column(kept.matrices * kept.columns);
  Doubles each(count);
  for (int step = 1; step <= kSteps; ++step) {
    const Floats gradient = Gradient(block, step);
    const double beta = 1 - std::pow(step, -0.8);
    Doubles row_mean(row.size()), column_mean(column.size()), update(count);
    const auto row_of = [&](int64_t i) { return i / kept.columns; };
    const auto column_of = [&](int64_t i) {
      return i / (kept.rows * kept.columns) * kept.columns + i % kept.columns;
    };
    for (int64_t i = 0; i < count; ++i) {
      const double square = std::pow(gradient[first + i], 2) + 1e-30;
      row_mean[row_of(i)] += square / kept.columns;
      column_mean[column_of(i)] += square / kept.rows;
      each[i] = beta * each[i] + (1 - beta) * square;
    }
    for (size_t i = 0; i < row.size(); ++i) {
      row[i] = beta * row[i] + (1 - beta) * row_mean[i];
    }
    for (size_t i = 0; i < column.size(); ++i) {
      column[i] = beta * column[i] + (1 - beta) * column_mean[i];
    }
    Doubles mean(kept.matrices);
    for (size_t i = 0; i < row.size(); ++i) {
      mean[i / kept.rows] += row[i] / kept.rows;
    }
    double squares = 0;
    for (int64_t i = 0; i < count; ++i) {
      const double second = kept.is_factored()
                                ? row[row_of(i)] / mean[row_of(i) / kept.rows] *
                                      column[column_of(i)]
                                : each[i];
      update[i] = gradient[first + i] / std::sqrt(second);
      squares += update[i] * update[i];
    }
    const double divisor = std::max(1.0, std::sqrt(squares / count));
    for (int64_t i = 0; i < count; ++i) {
      p[i] -= weight_decay * 0.01 * p[i];
      p[i] -= 0.01 * update[i] / divisor;
    }
  }
  return p;
}

TEST(AdafactorTest, TrainsAsDocumented) {
  const ParameterBlock block = Block();
  for (double weight_decay : {0.0, 0.1}) {
    const Floats trained = Train(block, weight_decay);
    for (size_t tensor = 0; tensor < block.tensors.size(); ++tensor) {
      const Doubles expected = Documented(block, tensor, weight_decay);
      const int64_t first = block.FirstElement(block.tensors[tensor]);
      double largest = 0;
      for (size_t i = 0; i < expected.size(); ++i) {
        largest = std::max(largest, std::abs(trained[first + i] - expected[i]));
      }
      EXPECT_LT(largest, 5e-6) << block.tensors[tensor].name;
    }
  }
}

TEST(AdafactorTest, AnyNumberOfThreadsGivesTheSameBits) {
  const int threads_before = at::get_num_threads();
  at::set_num_threads(1);
  const Floats alone = Train(Block(), 0.1);
  for (int threads : {2, 3, 7}) {
    at::set_num_threads(threads);
    EXPECT_EQ(Train(Block(), 0.1), alone) << threads;
  }
  at::set_num_threads(threads_before);
}

// The update's size is that of the root mean square, so only clipping by the
// norm shows; of the squares' small addition nothing is seen.
TEST(AdafactorTest, ScaledGradientsMakeTheSameUpdateButForRounding) {
  const Floats whole = Train(Block(), 0);
  const Floats scaled = Train(Block(), 0, false, /*scale=*/0.5f);
  double largest = 0;
  for (size_t i = 0; i < whole.size(); ++i) {
    largest = std::max<double>(largest, std::abs(whole[i] - scaled[i]));
  }
  EXPECT_LT(largest, 5e-6);
}

// Of rows and columns without any, whatever the others are.
TEST(AdafactorTest, LargeGradientsLeaveWhereThereAreNoneAsItIs) {
  ParameterBlock block;
  AddTensor("matrix", {3, 4}, TensorInit(), block);
  AddTensor("kernel", {2, 2, 3, 3}, TensorInit(), block);
  for (float size : {1e5f, 1e12f, 1e18f}) {
    const Floats before = Parameters(block);
    Floats parameters = before;
    Floats gradient(parameters.size());
    for (const TensorEntry& tensor : block.tensors) {
      gradient[block.FirstElement(tensor)] = size;
    }
    Floats state(FactoredStateBytes(block) / kFloatBytes);
    UpdateTensors(AdafactorScalarsAt(Make(0), 1), block, false,
                  {gradient.data(), parameters.data(), nullptr,
                   parameters.data(), state.data()});
    for (size_t i = 0; i < before.size(); ++i) {
      if (gradient[i] == 0) {
        EXPECT_EQ(parameters[i], before[i]) << size << " " << i;
      } else {
        EXPECT_LT(parameters[i], before[i]) << size << " " << i;
        EXPECT_TRUE(std::isfinite(parameters[i])) << size << " " << i;
      }
    }
  }
}

TEST(AdafactorTest, DecayMayLeaveVectorsAlone) {
  const ParameterBlock block = Block();
  const Floats all = Train(block, 0.1);
  const Floats none = Train(block, 0);
  const Floats some = Train(block, 0.1, /*decays_matrices_alone=*/true);
  for (const TensorEntry& tensor : block.tensors) {
    const Floats& expected = tensor.shape.size() > 1 ? all : none;
    const int64_t first = block.FirstElement(tensor);
    EXPECT_TRUE(std::equal(some.begin() + first,
                           some.begin() + first + tensor.element_count,
                           expected.begin() + first))
        << tensor.name;
  }
}

TEST(AdafactorTest, AGradientOfZerosLeavesAllAsItIs) {
  const ParameterBlock block = Block();
  Floats parameters = Parameters(block);
  const Floats before = parameters;
  Floats state(FactoredStateBytes(block) / kFloatBytes);
  const Floats gradient(parameters.size());
  UpdateTensors(AdafactorScalarsAt(Make(0), 1), block, false,
                {gradient.data(), parameters.data(), nullptr, parameters.data(),
                 state.data()});
  EXPECT_EQ(parameters, before);
}

TEST(AdafactorTest, TheFirstStepTakesItsSquaresAlone) {
  const AdafactorScalars first = AdafactorScalarsAt(Make(0.5), 1);
  EXPECT_EQ(first.kept, 0);
  EXPECT_EQ(first.into, 1);
  EXPECT_EQ(first.decay, 0.005f);
  const AdafactorScalars later = AdafactorScalarsAt(Make(0), 100);
  EXPECT_FLOAT_EQ(later.into, std::pow(100.0, -0.8));
  EXPECT_FLOAT_EQ(later.kept, 1 - std::pow(100.0, -0.8));
}

}  // namespace
}  // namespace hydra
