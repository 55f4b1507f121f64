#include "worker/model/dropout.h"

#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/ones.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

TEST(DropoutTest, DropsSomeAndKeepsTheMean) {
  const at::Tensor tensor = at::ones({100, 1000});
  const at::Tensor dropped = DroppedOf(tensor, 0.25);
  DropOut(tensor, dropped, 0.25);
  EXPECT_NEAR(dropped.sum().item<double>() / tensor.numel(), 0.25, 0.01);
  EXPECT_TRUE(tensor.masked_select(dropped).eq(0).all().item<bool>());
  EXPECT_TRUE(tensor.masked_select(dropped.logical_not())
                  .sub(1 / 0.75)
                  .abs()
                  .lt(1e-6)
                  .all()
                  .item<bool>());
}

}  // namespace
}  // namespace hydra
