#include "worker/model/rotary_embedding.h"

#include <cmath>

#include "ATen/Parallel.h"
#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "gtest/gtest.h"
#include "worker/model/test_models.h"

namespace hydra {
namespace {

using Direction = RotaryEmbedding::Direction;

constexpr int64_t kSequences = 3;
constexpr int64_t kContext = 50;
constexpr int64_t kHeads = 4;
constexpr int64_t kHeadWidth = 10;

const RotaryEmbedding& Rotary() {
  static const auto& rotary =
      *new RotaryEmbedding({1, 0.31f, 0.1f, 0.031f, 0.01f});
  return rotary;
}

at::Tensor Rows() {
  return RandomTensor({kSequences * kContext, kHeads * kHeadWidth}, 1);
}

at::Tensor Rotated(const at::Tensor& rows) {
  at::Tensor rotated = rows.clone();
  Rotary().Rotate(rotated, kContext, Direction::kForward);
  return rotated;
}

TEST(RotaryEmbeddingTest, TurnsEachPairByItsTokensPlace) {
  const at::Tensor rows = Rows();
  const at::Tensor rotated = Rotated(rows);
  const int64_t place = 37;
  const int64_t row = 2 * kContext + place;
  const int64_t first = 3 * kHeadWidth + 2;
  const double angle = place * 0.1;
  const auto x = rows[row][first].item<double>();
  const auto y = rows[row][first + kHeadWidth / 2].item<double>();
  EXPECT_NEAR(rotated[row][first].item<double>(),
              x * std::cos(angle) - y * std::sin(angle), 1e-6);
  EXPECT_NEAR(rotated[row][first + kHeadWidth / 2].item<double>(),
              y * std::cos(angle) + x * std::sin(angle), 1e-6);
}

TEST(RotaryEmbeddingTest, TheFirstTokenStaysAsItIs) {
  const at::Tensor rows = Rows();
  const at::Tensor rotated = Rotated(rows);
  for (int64_t sequence = 0; sequence < kSequences; ++sequence) {
    EXPECT_TRUE(rotated[sequence * kContext].equal(rows[sequence * kContext]));
  }
}

TEST(RotaryEmbeddingTest, ProductsDependOnDistancesAlone) {
  const at::Tensor row = RandomTensor({1, kHeadWidth}, 2);
  const at::Tensor same = row.repeat({kContext, 1});
  Rotary().Rotate(same, kContext, Direction::kForward);
  EXPECT_NEAR((same[3] * same[10]).sum().item<double>(),
              (same[33] * same[40]).sum().item<double>(), 1e-5);
}

TEST(RotaryEmbeddingTest, BackUndoesForward) {
  const at::Tensor rows = Rows();
  const at::Tensor there = Rotated(rows);
  Rotary().Rotate(there, kContext, Direction::kBack);
  EXPECT_LT(RelativeDifference(there, rows), 1e-6);
}

TEST(RotaryEmbeddingTest, OperationsGiveTheSameBits) {
  for (Direction direction : {Direction::kForward, Direction::kBack}) {
    const at::Tensor own = Rows();
    const at::Tensor other = Rows();
    Rotary().Rotate(own, kContext, direction);
    Rotary().RotateByOperations(other, kContext, direction);
    EXPECT_TRUE(own.equal(other));
  }
}

TEST(RotaryEmbeddingTest, AnyNumberOfThreadsGivesTheSameBits) {
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const at::Tensor rows = RandomTensor({40 * kContext, kHeads * kHeadWidth}, 3);
  const at::Tensor expected = Rotated(rows);
  for (int count : {2, 3, 7}) {
    at::set_num_threads(count);
    EXPECT_TRUE(Rotated(rows).equal(expected)) << count;
  }
  at::set_num_threads(threads);
}

}  // namespace
}  // namespace hydra
