#include "worker/model/product_order.h"

#include <cstdint>

#include "ATen/Parallel.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/bmm.h"
#include "ATen/ops/empty.h"
#include "ATen/ops/mm.h"
#include "ATen/ops/randn.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

// Before any test's first product.
const bool kIsFixed = (FixProductOrder(), true);

class ProductOrderTest : public testing::Test {
 protected:
  ~ProductOrderTest() override { at::set_num_threads(threads_before_); }

  static void ExpectSameBitsOnAnyNumberOfThreads(const at::Tensor& a,
                                                 const at::Tensor& b) {
    at::set_num_threads(1);
    const at::Tensor one = a.mm(b);
    for (int threads : {2, 3, 7}) {
      at::set_num_threads(threads);
      EXPECT_TRUE(a.mm(b).equal(one))
          << a.sizes() << " by " << b.sizes() << ", " << threads << " threads";
    }
  }

 private:
  const int threads_before_ = at::get_num_threads();
};

TEST_F(ProductOrderTest, IsTheSameOnAnyNumberOfThreads) {
  ASSERT_TRUE(kIsFixed);
  for (int64_t rows : {5, 69, 320, 1024}) {
    for (int64_t inner : {24, 96, 384, 4096}) {
      for (int64_t columns : {24, 96, 3001}) {
        const at::Tensor a = at::randn({rows, inner});
        const at::Tensor b = at::randn({inner, columns});
        ExpectSameBitsOnAnyNumberOfThreads(a, b);
        // As in a weight's gradient, and in a head.
        ExpectSameBitsOnAnyNumberOfThreads(a.t().contiguous().t(), b);
        ExpectSameBitsOnAnyNumberOfThreads(a, b.t().contiguous().t());
      }
    }
  }
}

// As an attention has them: each of a batch lies inside of wider rows.
TEST_F(ProductOrderTest, ProductsOfABatchAreTheSameOnAnyNumberOfThreads) {
  for (int64_t context : {7, 25, 100, 127}) {
    const at::Tensor rows = at::randn({3, context, 2 * 3 * 12});
    const auto heads = [&](int64_t first) {
      return rows.narrow(2, first, 24)
          .view({3, context, 2, 12})
          .transpose(1, 2)
          .flatten(0, 1);
    };
    const at::Tensor query = heads(0), key = heads(24);
    at::set_num_threads(1);
    const at::Tensor one = query.bmm(key.transpose(1, 2));
    const at::Tensor back = one.bmm(query);
    for (int threads : {2, 3, 7}) {
      at::set_num_threads(threads);
      EXPECT_TRUE(query.bmm(key.transpose(1, 2)).equal(one)) << context;
      EXPECT_TRUE(one.bmm(query).equal(back)) << context;
    }
  }
}

TEST_F(ProductOrderTest, IsTheSameWhereverOperandsLie) {
  at::set_num_threads(1);
  const at::Tensor a = at::randn({69, 96});
  const at::Tensor b = at::randn({96, 100});
  const at::Tensor expected = a.mm(b);
  for (int64_t shift : {1, 3, 16}) {
    const at::Tensor moved =
        at::empty({shift + a.numel()}).narrow(0, shift, a.numel());
    EXPECT_TRUE(
        moved.copy_(a.reshape({-1})).view({69, 96}).mm(b).equal(expected))
        << shift;
  }
}

}  // namespace
}  // namespace hydra
