#include "worker/model/attention.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "ATen/Parallel.h"
#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/arange.h"
#include "ATen/ops/cat.h"
#include "ATen/ops/empty.h"
#include "ATen/ops/ones.h"
#include "ATen/ops/softmax.h"
#include "gtest/gtest.h"
#include "worker/model/counting_allocator.h"
#include "worker/model/test_models.h"

namespace hydra {
namespace {

constexpr int64_t kHeadWidth = 12;

struct AttentionCase {
  std::string name;
  // Without dropout the fused kernels compute, with it Hydra's own products.
  double dropout = 0;
  int64_t heads = 2;
  int64_t key_value_heads = 2;
  int64_t window = 0;
  bool is_causal = true;
  // Sequences of three lengths.
  bool has_lengths = false;
};

class AttentionTest : public testing::TestWithParam<AttentionCase> {
 protected:
  static AttentionShape Shape(int64_t context) {
    AttentionShape shape = {
        /*sequences=*/3,     context,
        GetParam().heads,    GetParam().key_value_heads,
        GetParam().window,   {GetParam().dropout, /*seed=*/5},
        GetParam().is_causal};
    if (GetParam().has_lengths) {
      shape.lengths = at::empty({3}, at::kLong);
      shape.lengths[0] = (context + 1) / 2;
      shape.lengths[1] = context;
      shape.lengths[2] = 1;
    }
    return shape;
  }

  static at::Tensor Rows(const AttentionShape& shape, int64_t heads,
                         uint64_t seed) {
    return RandomTensor({shape.sequences * shape.context, heads * kHeadWidth},
                        seed);
  }

  static QueryKeyValue Input(const AttentionShape& shape) {
    return {Rows(shape, shape.heads, 1), Rows(shape, shape.key_value_heads, 2),
            Rows(shape, shape.key_value_heads, 3)};
  }

  // The same behind each other in wider rows, as a projection that makes all
  // three at once leaves them.
  static QueryKeyValue InputOfOneProjection(const AttentionShape& shape) {
    const QueryKeyValue apart = Input(shape);
    const at::Tensor rows =
        at::cat({apart.query, apart.key, apart.value}, /*dim=*/1);
    const int64_t queries = apart.query.size(1);
    const int64_t keys = apart.key.size(1);
    return {rows.narrow(1, 0, queries), rows.narrow(1, queries, keys),
            rows.narrow(1, queries + keys, keys)};
  }

  // In plain, differentiable operations.
  static at::Tensor Plain(const QueryKeyValue& input,
                          const AttentionShape& shape) {
    const auto by_head = [&](const at::Tensor& rows, int64_t heads) {
      return rows.view({shape.sequences, shape.context, heads, kHeadWidth})
          .transpose(1, 2)
          .repeat_interleave(shape.heads / heads, 1);
    };
    const at::Tensor all = at::ones({shape.context, shape.context}, at::kBool);
    at::Tensor hidden = shape.is_causal ? all.triu(1) : all.logical_not();
    if (shape.window > 0) hidden = hidden.logical_or(all.tril(-shape.window));
    if (shape.lengths.defined()) {
      hidden = hidden.logical_or(at::arange(shape.context, at::kLong)
                                     .ge(shape.lengths.view({-1, 1, 1, 1})));
    }
    const at::Tensor weights = at::softmax(
        (by_head(input.query, shape.heads)
             .matmul(
                 by_head(input.key, shape.key_value_heads).transpose(2, 3)) /
         std::sqrt(static_cast<double>(kHeadWidth)))
            .masked_fill(hidden, -std::numeric_limits<float>::infinity()),
        -1);
    const at::Tensor kept = at::ones(weights.sizes());
    DropOut(kept, shape.dropout);
    return (weights * kept)
        .matmul(by_head(input.value, shape.key_value_heads))
        .transpose(1, 2)
        .reshape({-1, shape.heads * kHeadWidth});
  }
};

INSTANTIATE_TEST_SUITE_P(
    All, AttentionTest,
    testing::Values(
        AttentionCase{"Plain"},  //
        AttentionCase{"Dropout", 0.25}, AttentionCase{"Grouped", 0, 6, 2},
        AttentionCase{"GroupedDropout", 0.25, 6, 2},
        AttentionCase{"OneKey", 0, 4, 1}, AttentionCase{"Window", 0, 2, 2, 12},
        AttentionCase{"GroupedWindow", 0, 6, 2, 12},
        AttentionCase{"GroupedWindowDropout", 0.25, 6, 2, 12},
        AttentionCase{"WindowOfOne", 0, 2, 1, 1},
        AttentionCase{"Full", 0, 2, 2, 0, false},
        AttentionCase{"FullGrouped", 0, 6, 2, 0, false},
        AttentionCase{"FullDropout", 0.25, 2, 2, 0, false},
        AttentionCase{"Lengths", 0, 2, 2, 0, false, true},
        AttentionCase{"LengthsGrouped", 0, 6, 2, 0, false, true},
        AttentionCase{"LengthsDropout", 0.25, 2, 2, 0, false, true}),
    [](const testing::TestParamInfo<AttentionCase>& info) {
      return info.param.name;
    });

TEST_P(AttentionTest, EqualsPlainOperations) {
  std::vector<int64_t> contexts = {1, 7, 12, 13, 64, 200};
  // Whole blocks of the fused kernels lie outside of the window.
  if (GetParam().window > 0 && GetParam().dropout == 0) contexts.push_back(700);
  for (int64_t context : contexts) {
    SCOPED_TRACE(context);
    const AttentionShape shape = Shape(context);
    const QueryKeyValue own = Input(shape);
    const QueryKeyValue leaves = {own.query.clone().requires_grad_(),
                                  own.key.clone().requires_grad_(),
                                  own.value.clone().requires_grad_()};
    const at::Tensor gradient = Rows(shape, shape.heads, 4);
    const Attended attended = Attend(own, shape);
    const at::Tensor plain = Plain(leaves, shape);
    EXPECT_LT(RelativeDifference(attended.output, plain), 2e-6);

    plain.backward(gradient);
    AttendBackward(gradient, attended, shape, own);
    // Of one token alone, the score does not matter.
    if (context > 1 && GetParam().window != 1) {
      EXPECT_LT(RelativeDifference(own.query, leaves.query.grad()), 5e-6);
      EXPECT_LT(RelativeDifference(own.key, leaves.key.grad()), 5e-6);
    } else {
      EXPECT_LT(own.query.abs().max().item<double>(), 1e-6);
      EXPECT_LT(own.key.abs().max().item<double>(), 1e-6);
    }
    EXPECT_LT(RelativeDifference(own.value, leaves.value.grad()), 5e-6);
  }
}

TEST_P(AttentionTest, PartsOfWiderRowsGiveTheSameBits) {
  const AttentionShape shape = Shape(64);
  const QueryKeyValue apart = Input(shape);
  const QueryKeyValue parts = InputOfOneProjection(shape);
  const at::Tensor gradient = Rows(shape, shape.heads, 4);
  for (const QueryKeyValue& input : {apart, parts}) {
    const Attended attended = Attend(input, shape);
    AttendBackward(gradient, attended, shape, input);
  }
  EXPECT_TRUE(parts.query.equal(apart.query));
  EXPECT_TRUE(parts.key.equal(apart.key));
  EXPECT_TRUE(parts.value.equal(apart.value));
}

TEST_P(AttentionTest, AnyNumberOfThreadsGivesTheSameBits) {
  const int threads = at::get_num_threads();
  for (int64_t context : {7, 19, 22, 25, 64, 100, 127}) {
    const AttentionShape shape = Shape(context);
    at::Tensor output;
    QueryKeyValue gradient;
    for (int count : {1, 2, 3, 7}) {
      SCOPED_TRACE(testing::Message() << context << " tokens, " << count);
      at::set_num_threads(count);
      const QueryKeyValue input = InputOfOneProjection(shape);
      const Attended attended = Attend(input, shape);
      AttendBackward(attended.output, attended, shape, input);
      if (count == 1) {
        output = attended.output;
        gradient = input;
      }
      EXPECT_TRUE(attended.output.equal(output));
      EXPECT_TRUE(input.query.equal(gradient.query));
      EXPECT_TRUE(input.key.equal(gradient.key));
      EXPECT_TRUE(input.value.equal(gradient.value));
    }
  }
  at::set_num_threads(threads);
}

TEST_P(AttentionTest, ScoresOfOneSequenceExistAtATime) {
  AttentionShape shape = Shape(200);
  shape.sequences = 20;
  if (shape.lengths.defined()) shape.lengths = shape.lengths[0].expand({20});
  const QueryKeyValue input = Input(shape);
  const int64_t input_bytes =
      input.query.nbytes() + input.key.nbytes() + input.value.nbytes();
  const int64_t score_bytes =
      shape.heads * shape.context * shape.context * kFloatBytes;
  CountingAllocator allocator;
  const Attended attended = Attend(input, shape);
  EXPECT_LT(allocator.peak_bytes(),
            1.5 * score_bytes + 1.5 * attended.output.nbytes());
  const at::Tensor gradient = RandomTensor(attended.output.sizes(), 4);
  allocator.Reset();
  AttendBackward(gradient, attended, shape, input);
  EXPECT_LT(allocator.peak_bytes(), 3 * score_bytes + input_bytes);
}

// A window that no context reaches changes nothing.
TEST(AttentionWindowTest, AWideWindowGivesTheBitsOfNone) {
  AttentionShape shape{/*sequences=*/2, /*context=*/40, /*heads=*/2,
                       /*key_value_heads=*/1};
  const QueryKeyValue input = {RandomTensor({80, 24}, 1),
                               RandomTensor({80, 12}, 2),
                               RandomTensor({80, 12}, 3)};
  const at::Tensor all = Attend(input, shape).output;
  shape.window = 40;
  EXPECT_TRUE(Attend(input, shape).output.equal(all));
  shape.window = 39;
  EXPECT_FALSE(Attend(input, shape).output.equal(all));
}

}  // namespace
}  // namespace hydra
