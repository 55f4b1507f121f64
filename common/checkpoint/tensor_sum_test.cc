#include "common/checkpoint/tensor_sum.h"

#include <algorithm>

#include "gtest/gtest.h"

namespace hydra {
namespace {

TEST(TensorSumTest, IsXxh3AsItsAuthorsPublishIt) {
  EXPECT_EQ(SumText(SumOf("")), "2d06800538d394c2");
}

TEST(TensorSumTest, PiecesOfAnySizeMakeTheSumOfTheWhole) {
  std::string bytes(1'000'003, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * i);
  for (const size_t piece : {1u, 63u, 4096u, 999'999u}) {
    TensorSum sum;
    for (size_t i = 0; i < bytes.size(); i += piece) {
      sum.Add(bytes.data() + i, std::min(piece, bytes.size() - i));
    }
    EXPECT_EQ(sum.Value(), SumOf(bytes)) << piece;
  }
}

TEST(TensorSumTest, TextHasLeadingZeros) {
  EXPECT_EQ(SumText(0xab), "00000000000000ab");
}

}  // namespace
}  // namespace hydra
