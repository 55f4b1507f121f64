#include "worker/model/causal_attention.h"

#include <cmath>
#include <limits>

#include "ATen/Parallel.h"
#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/ones.h"
#include "ATen/ops/softmax.h"
#include "gtest/gtest.h"
#include "worker/model/counting_allocator.h"
#include "worker/model/product_order.h"
#include "worker/model/test_models.h"

namespace hydra {
namespace {

// Before any test's first product.
[[maybe_unused]] const bool kProductOrderIsFixed = (FixProductOrder(), true);

constexpr int64_t kWidth = 24;

// The parameter: dropout. Without it the fused kernels compute, with it
// Hydra's own products.
class CausalAttentionTest : public testing::TestWithParam<double> {
 protected:
  static AttentionShape Shape(int64_t context) {
    return {/*sequences=*/3, context, /*heads=*/2, {GetParam(), /*seed=*/5}};
  }

  static at::Tensor Qkv(const AttentionShape& shape) {
    return RandomTensor({shape.sequences * shape.context, 3 * kWidth}, 1);
  }

  // In plain, differentiable operations.
  static at::Tensor Plain(const at::Tensor& qkv, const AttentionShape& shape) {
    const int64_t head_width = kWidth / shape.heads;
    const at::Tensor parts =
        qkv.view({shape.sequences, shape.context, 3, shape.heads, head_width})
            .permute({2, 0, 3, 1, 4});
    const at::Tensor later =
        at::ones({shape.context, shape.context}, at::kBool).triu(1);
    const at::Tensor weights = at::softmax(
        (parts[0].matmul(parts[1].transpose(2, 3)) /
         std::sqrt(static_cast<double>(head_width)))
            .masked_fill(later, -std::numeric_limits<float>::infinity()),
        -1);
    const at::Tensor kept = at::ones(weights.sizes());
    DropOut(kept, shape.dropout);
    return (weights * kept)
        .matmul(parts[2])
        .transpose(1, 2)
        .reshape({-1, kWidth});
  }
};

INSTANTIATE_TEST_SUITE_P(Dropout, CausalAttentionTest,
                         testing::Values(0.0, 0.25));

TEST_P(CausalAttentionTest, EqualsPlainOperations) {
  for (int64_t context : {1, 7, 64, 200}) {
    SCOPED_TRACE(context);
    const AttentionShape shape = Shape(context);
    const at::Tensor qkv = Qkv(shape).requires_grad_();
    const at::Tensor gradient =
        RandomTensor({shape.sequences * context, kWidth}, 2);
    const Attended attended = CausalAttention(qkv.detach(), shape);
    const at::Tensor plain = Plain(qkv, shape);
    EXPECT_LT(RelativeDifference(attended.output, plain), 2e-6);

    plain.backward(gradient);
    const at::Tensor own = qkv.detach().clone();
    CausalAttentionBackward(gradient, attended, shape, own);
    EXPECT_LT(RelativeDifference(own, qkv.grad()), 5e-6);
  }
}

TEST_P(CausalAttentionTest, AnyNumberOfThreadsGivesTheSameBits) {
  const int threads = at::get_num_threads();
  for (int64_t context : {7, 19, 22, 25, 64, 100, 127}) {
    const AttentionShape shape = Shape(context);
    at::Tensor output, gradient;
    for (int count : {1, 2, 3, 7}) {
      SCOPED_TRACE(testing::Message() << context << " tokens, " << count);
      at::set_num_threads(count);
      const at::Tensor qkv = Qkv(shape);
      const Attended attended = CausalAttention(qkv, shape);
      CausalAttentionBackward(attended.output, attended, shape, qkv);
      if (count == 1) {
        output = attended.output;
        gradient = qkv;
      }
      EXPECT_TRUE(attended.output.equal(output));
      EXPECT_TRUE(qkv.equal(gradient));
    }
  }
  at::set_num_threads(threads);
}

TEST_P(CausalAttentionTest, ScoresOfOneSequenceExistAtATime) {
  AttentionShape shape = Shape(200);
  shape.sequences = 20;
  const at::Tensor qkv = Qkv(shape);
  const int64_t score_bytes =
      shape.heads * shape.context * shape.context * kFloatBytes;
  CountingAllocator allocator;
  const Attended attended = CausalAttention(qkv, shape);
  EXPECT_LT(allocator.peak_bytes(),
            1.5 * score_bytes + attended.output.nbytes());
  const at::Tensor gradient = RandomTensor(attended.output.sizes(), 2);
  allocator.Reset();
  CausalAttentionBackward(gradient, attended, shape, qkv);
  EXPECT_LT(allocator.peak_bytes(), 3 * score_bytes + qkv.nbytes());
}

}  // namespace
}  // namespace hydra
