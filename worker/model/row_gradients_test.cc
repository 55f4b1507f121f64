#include "worker/model/row_gradients.h"

#include <vector>

#include "ATen/core/Tensor.h"
#include "ATen/ops/embedding_backward.h"
#include "ATen/ops/zeros.h"
#include "gtest/gtest.h"
#include "worker/model/test_models.h"

namespace hydra {
namespace {

constexpr int64_t kRows = 97;
constexpr int64_t kWidth = 24;

class RowGradientsTest : public testing::Test {
 protected:
  RowGradientsTest()
      : gradients_({RandomMicroBatch(kRows, 4, 30, 1).Inputs(),
                    RandomTensor({4, 30, kWidth}, 2)}) {}

  at::Tensor Sum(const std::vector<int64_t>& cuts) const {
    const at::Tensor sum = at::zeros({kRows, kWidth});
    for (size_t i = 0; i + 1 < cuts.size(); ++i) {
      AddRowGradients(gradients_, cuts[i], cuts[i + 1],
                      sum.narrow(0, cuts[i], cuts[i + 1] - cuts[i]));
    }
    return sum;
  }

  const RowGradients gradients_;
};

TEST_F(RowGradientsTest, EachRowGetsTheSumOverItsTokens) {
  const at::Tensor expected = at::embedding_backward(
      gradients_.gradients, gradients_.rows, kRows, /*padding_idx=*/-1,
      /*scale_grad_by_freq=*/false, /*sparse=*/false);
  EXPECT_LT(RelativeDifference(Sum({0, kRows}), expected), 1e-6);
}

TEST_F(RowGradientsTest, AnyRangingOfTheRowsGivesTheSameBits) {
  const at::Tensor whole = Sum({0, 97});
  EXPECT_TRUE(Sum({0, 1, 50, 97}).equal(whole));
  EXPECT_TRUE(Sum({0, 13, 26, 39, 52, 65, 78, 91, 97}).equal(whole));
}

}  // namespace
}  // namespace hydra
