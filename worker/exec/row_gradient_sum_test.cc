#include "worker/exec/row_gradient_sum.h"

#include "ATen/Parallel.h"
#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/empty.h"
#include "ATen/ops/equal.h"
#include "ATen/ops/full.h"
#include "ATen/ops/randint.h"
#include "ATen/ops/randn.h"
#include "ATen/ops/zeros.h"
#include "gtest/gtest.h"
#include "worker/device/cpu/cpu_device.h"
#include "worker/model/row_gradients.h"

namespace hydra {
namespace {

constexpr int64_t kRows = 30;
constexpr int64_t kWidth = 8;

ParameterBlock Table(int64_t rows, int64_t width) {
  ParameterBlock block;
  AddTensor("table", {rows, width}, {}, block);
  return block;
}

RowGradientSum::Empty Empty(const Device& device) {
  return [on = device.torch_device()](at::IntArrayRef sizes) {
    return at::empty(sizes, on);
  };
}

TEST(RowGradientSumTest, SummingAndKeepingGiveTheSameBits) {
  const auto device = CpuDevice::Create(0, 1 << 20).value();
  RowGradientSum kept(Table(kRows, kWidth), kRows / 5, 5, Empty(*device));
  RowGradientSum summed(Table(kRows, kWidth), kRows, 5, Empty(*device));
  for (int i = 0; i < 5; ++i) {
    const at::Tensor tokens = at::randint(kRows, {2, 16}, at::kLong);
    const at::Tensor gradient = at::randn({2, 16, kWidth});
    kept.Add({tokens, gradient});
    summed.Add({tokens, gradient});
  }
  for (int64_t row = 0; row < kRows; row += 10) {
    const at::Tensor a = at::randn({10, kWidth});
    const at::Tensor b = at::randn({10, kWidth});
    kept.CopyRows(row, row + 10, a);
    summed.CopyRows(row, row + 10, b);
    EXPECT_TRUE(at::equal(a, b));
  }
}

TEST(RowGradientSumTest, GoesOnFromWhatEarlierRoundsAddedUp) {
  const auto device = CpuDevice::Create(0, 1 << 20).value();
  const ParameterBlock block = Table(kRows, kWidth);
  // Summed up, and kept.
  for (int64_t rows_of_batch : {kRows, kRows / 5}) {
    RowGradientSum whole(block, rows_of_batch, 4, Empty(*device));
    at::Tensor sum = at::zeros({kRows, kWidth});
    for (int round = 0; round < 2; ++round) {
      RowGradientSum part(block, rows_of_batch, 2, Empty(*device),
                          [&sum](int64_t first_row, const at::Tensor& to) {
                            to.copy_(sum.narrow(0, first_row, to.size(0)));
                          });
      for (int i = 0; i < 2; ++i) {
        const at::Tensor tokens = at::randint(kRows, {2, 16}, at::kLong);
        const at::Tensor gradient = at::randn({2, 16, kWidth});
        whole.Add({tokens, gradient});
        part.Add({tokens, gradient});
      }
      at::Tensor next = at::empty({kRows, kWidth});
      for (int64_t row = 0; row < kRows; row += 10) {
        part.CopyRows(row, row + 10, next.narrow(0, row, 10));
      }
      sum = next;
    }
    const at::Tensor expected = at::empty({kRows, kWidth});
    whole.CopyRows(0, kRows, expected);
    EXPECT_TRUE(at::equal(sum, expected));
  }
}

TEST(RowGradientSumTest, OrderOfTokensInARowIsKeptOnAnyNumberOfThreads) {
  const auto device = CpuDevice::Create(0, 8 << 20).value();
  const int64_t rows = 5000;
  const int64_t width = 64;
  RowGradientSum gradient(Table(rows, width), 1, 1, Empty(*device));
  at::Tensor expected = at::zeros({rows, width});
  for (int i = 0; i < 3; ++i) {
    const at::Tensor tokens = at::randint(10, {2, 32}, at::kLong) * 499;
    const at::Tensor part = at::randn({2, 32, width});
    gradient.Add({tokens, part});
    AddRowGradients({tokens, part}, 0, rows, expected);
  }
  const int threads = at::get_num_threads();
  for (int count : {1, 3}) {
    at::set_num_threads(count);
    const at::Tensor actual = at::full({rows, width}, 7.0f);
    gradient.CopyRows(0, rows, actual);
    EXPECT_TRUE(at::equal(actual, expected));
  }
  at::set_num_threads(threads);
}

TEST(RowGradientSumTest, TakesTheSmallerOfBothWays) {
  EXPECT_TRUE(RowGradientSum::KeepsParts(Table(25, 10), 5, 5));
  EXPECT_FALSE(RowGradientSum::KeepsParts(Table(25, 10), 5, 6));
}

}  // namespace
}  // namespace hydra
