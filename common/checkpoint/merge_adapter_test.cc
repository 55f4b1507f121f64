#include "common/checkpoint/merge_adapter.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "absl/types/span.h"
#include "common/model/model_table.h"
#include "common/model/quantized_rows.h"
#include "common/safetensors/float_conversion.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

constexpr double kScale = 1.5;

std::vector<float> Draw(int64_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> numbers(-1, 1);
  std::vector<float> drawn(count);
  for (float& number : drawn) number = numbers(random);
  return drawn;
}

// A weight of a map from `in` to `out` numbers, with its adapter of rank r.
class Map {
 public:
  Map(int64_t out, int64_t in, int64_t r, LinearLayout layout)
      : out_(out),
        in_(in),
        r_(r),
        w_(Draw(out * in, 1)),
        a_(Draw(r * in, 2)),
        b_(Draw(out * r, 3)) {
    weight_.linear = layout;
    weight_.shape = layout == LinearLayout::kInOut
                        ? std::vector<int64_t>{in, out}
                        : std::vector<int64_t>{out, in};
  }

  // Of this type; what it becomes, in pieces as they come.
  std::vector<std::vector<std::byte>> Merge(ElementType type) {
    std::vector<uint16_t> narrow(w_.size());
    const auto to = absl::MakeSpan(narrow);
    std::vector<std::byte> quantized;
    const void* bytes = w_.data();
    if (type == ElementType::kInt8) {
      const int64_t width = weight_.shape[1];
      const int64_t row_bytes = QuantizedRowBytes(width);
      quantized.resize(weight_.shape[0] * row_bytes);
      for (int64_t row = 0; row < weight_.shape[0]; ++row) {
        EXPECT_TRUE(
            QuantizeRow(absl::MakeConstSpan(w_).subspan(row * width, width),
                        quantized.data() + row * row_bytes)
                .ok());
      }
      DequantizeRows(quantized.data(), width, absl::MakeSpan(w_));
      bytes = quantized.data();
    } else if (type != ElementType::kFloat32) {
      type == ElementType::kBFloat16 ? safetensors::NarrowBF16(w_, to)
                                     : safetensors::NarrowF16(w_, to);
      type == ElementType::kBFloat16
          ? safetensors::WidenBF16(narrow, absl::MakeSpan(w_))
          : safetensors::WidenF16(narrow, absl::MakeSpan(w_));
      bytes = narrow.data();
    }
    AdaptedWeight adapted;
    adapted.weight = &weight_;
    adapted.type = type;
    adapted.bytes = static_cast<const std::byte*>(bytes);
    adapted.lora_a = a_.data();
    adapted.lora_b = b_.data();
    adapted.r = r_;
    adapted.scale = kScale;
    std::vector<std::vector<std::byte>> pieces;
    const absl::Status status =
        MergeAdapter(adapted, [&](const std::byte* piece, int64_t size_bytes) {
          pieces.emplace_back(piece, piece + size_bytes);
          return absl::OkStatus();
        });
    EXPECT_TRUE(status.ok()) << status;
    return pieces;
  }

  // The element that maps number i to number o: its place, and, by the
  // definition, its value in float32 before it is rounded to its type.
  int64_t PlaceOf(int64_t o, int64_t i) const {
    return weight_.linear == LinearLayout::kInOut ? i * out_ + o : o * in_ + i;
  }
  float ValueOf(int64_t o, int64_t i) const {
    // Not fused: each product is rounded by the assignment to a volatile.
    float sum = 0;
    for (int64_t k = 0; k < r_; ++k) {
      const volatile float product = b_[o * r_ + k] * a_[k * in_ + i];
      sum += product;
    }
    const volatile float scaled = static_cast<float>(kScale) * sum;
    return w_[PlaceOf(o, i)] + scaled;
  }

  void ExpectMerged(ElementType type) {
    std::vector<std::byte> all;
    for (const std::vector<std::byte>& piece : Merge(type)) {
      all.insert(all.end(), piece.begin(), piece.end());
    }
    // What int8 stands for has four.
    if (type == ElementType::kInt8) type = ElementType::kFloat32;
    ASSERT_EQ(all.size(), w_.size() * ElementBytes(type));
    int wrong = 0;
    for (int64_t o = 0; o < out_; ++o) {
      for (int64_t i = 0; i < in_; ++i) {
        const float value = ValueOf(o, i);
        const std::byte* const found =
            all.data() + PlaceOf(o, i) * ElementBytes(type);
        if (type == ElementType::kFloat32) {
          wrong += std::memcmp(found, &value, sizeof(value)) != 0;
          continue;
        }
        uint16_t narrow[1];
        type == ElementType::kBFloat16
            ? safetensors::NarrowBF16({value}, absl::MakeSpan(narrow))
            : safetensors::NarrowF16({value}, absl::MakeSpan(narrow));
        wrong += std::memcmp(found, narrow, sizeof(narrow)) != 0;
      }
    }
    EXPECT_EQ(wrong, 0);
  }

 private:
  const int64_t out_;
  const int64_t in_;
  const int64_t r_;
  std::vector<float> w_;
  const std::vector<float> a_;
  const std::vector<float> b_;
  TensorEntry weight_;
};

TEST(MergeAdapterTest, EachElementIsTheDefinitionsRoundedOnce) {
  for (const ElementType type : {ElementType::kFloat32, ElementType::kBFloat16,
                                 ElementType::kFloat16, ElementType::kInt8}) {
    for (const LinearLayout layout :
         {LinearLayout::kOutIn, LinearLayout::kInOut}) {
      // Columns in whole groups and beside them, and fewer than one group.
      Map(48, 33, 5, layout).ExpectMerged(type);
      Map(7, 64, 1, layout).ExpectMerged(type);
      Map(3, 2, 4, layout).ExpectMerged(type);
    }
  }
}

TEST(MergeAdapterTest, ALargeWeightComesInPiecesOfWholeRows) {
  Map map(700, 300, 2, LinearLayout::kOutIn);
  const auto pieces = map.Merge(ElementType::kFloat32);
  EXPECT_GT(pieces.size(), 2);
  for (const std::vector<std::byte>& piece : pieces) {
    EXPECT_EQ(piece.size() % (300 * sizeof(float)), 0);
    EXPECT_LE(piece.size(), 256 * 1024);
  }
  map.ExpectMerged(ElementType::kFloat32);
}

TEST(MergeAdapterTest, ARowThatIsLongerThanAPieceComesAlone) {
  Map map(3, 70'000, 1, LinearLayout::kOutIn);
  EXPECT_EQ(map.Merge(ElementType::kBFloat16).size(), 3);
  map.ExpectMerged(ElementType::kBFloat16);
  Map(3, 70'000, 1, LinearLayout::kOutIn).ExpectMerged(ElementType::kInt8);
}

TEST(MergeAdapterTest, WhatFloat16CannotHoldIsRefusedByItsTensor) {
  TensorEntry weight;
  weight.name = "h.0.weight";
  weight.linear = LinearLayout::kOutIn;
  weight.shape = {2, 2};
  // The last is the largest that there is; the first is infinite in any case.
  const std::vector<uint16_t> numbers = {0x7c00, 0, 0, 0x7bff};
  const std::vector<float> a = {0, 1};
  std::vector<float> b = {0, 15};
  AdaptedWeight adapted;
  adapted.weight = &weight;
  adapted.type = ElementType::kFloat16;
  adapted.bytes = reinterpret_cast<const std::byte*>(numbers.data());
  adapted.lora_a = a.data();
  adapted.lora_b = b.data();
  adapted.r = 1;
  adapted.scale = 1;
  int64_t written_bytes = 0;
  std::vector<uint16_t> merged(4);
  const auto merge = [&] {
    return MergeAdapter(adapted, [&](const std::byte* bytes, int64_t size) {
      written_bytes += size;
      std::memcpy(merged.data(), bytes, size);
      return absl::OkStatus();
    });
  };
  ASSERT_TRUE(merge().ok()) << merge();
  EXPECT_EQ(written_bytes, 8);
  EXPECT_EQ(merged, (std::vector<uint16_t>{0x7c00, 0, 0, 0x7bff}));
  b[1] = 16;
  const absl::Status status = merge();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(),
            "tensor h.0.weight has a value of 65520 once its adapter is "
            "merged, and float16 ends at 65504; model.frozen_dtype: bfloat16 "
            "has room for it");
  EXPECT_EQ(written_bytes, 8);
}

TEST(MergeAdapterTest, StopsWhereItCannotBeWritten) {
  TensorEntry weight;
  weight.linear = LinearLayout::kOutIn;
  weight.shape = {1000, 1000};
  const std::vector<float> numbers(1'000'000);
  AdaptedWeight adapted;
  adapted.weight = &weight;
  adapted.bytes = reinterpret_cast<const std::byte*>(numbers.data());
  adapted.lora_a = numbers.data();
  adapted.lora_b = numbers.data();
  adapted.r = 1;
  int asked = 0;
  const absl::Status status =
      MergeAdapter(adapted, [&](const std::byte*, int64_t) {
        return ++asked < 2 ? absl::OkStatus()
                           : absl::ResourceExhaustedError("full");
      });
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_EQ(asked, 2);
}

}  // namespace
}  // namespace hydra
