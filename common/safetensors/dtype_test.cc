#include "common/safetensors/dtype.h"

#include <set>
#include <string>

#include "gtest/gtest.h"

namespace hydra::safetensors {
namespace {

TEST(DtypeTest, EveryDtypeHasANameOfItsOwnThatLeadsBackToIt) {
  std::set<std::string> names;
  for (Dtype dtype : AllDtypes()) {
    names.insert(std::string(DtypeName(dtype)));
    EXPECT_EQ(DtypeFromName(DtypeName(dtype)), dtype);
  }
  EXPECT_EQ(names.size(), AllDtypes().size());
}

TEST(DtypeTest, NamesAndSizesAreThoseOfTheFormat) {
  EXPECT_EQ(DtypeFromName("BF16"), Dtype::kBF16);
  EXPECT_EQ(DtypeFromName("F8_E5M2FNUZ"), Dtype::kF8E5M2Fnuz);
  EXPECT_EQ(DtypeBits(Dtype::kF4), 4);
  EXPECT_EQ(DtypeBits(Dtype::kF6E3M2), 6);
  EXPECT_EQ(DtypeBits(Dtype::kBool), 8);
  EXPECT_EQ(DtypeBits(Dtype::kF8E4M3), 8);
  EXPECT_EQ(DtypeBits(Dtype::kBF16), 16);
  EXPECT_EQ(DtypeBits(Dtype::kF32), 32);
  EXPECT_EQ(DtypeBits(Dtype::kC64), 64);
  EXPECT_EQ(DtypeBits(Dtype::kU64), 64);
}

TEST(DtypeTest, UnknownNamesAreNothing) {
  EXPECT_EQ(DtypeFromName("f32"), std::nullopt);
  EXPECT_EQ(DtypeFromName("float32"), std::nullopt);
  EXPECT_EQ(DtypeFromName(""), std::nullopt);
}

}  // namespace
}  // namespace hydra::safetensors
