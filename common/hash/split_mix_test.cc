#include "common/hash/split_mix.h"

#include "gtest/gtest.h"

namespace hydra {
namespace {

// The first numbers of the generator's reference implementation, seeded with 0
// and with 1234567.
TEST(SplitMixTest, MixesAsItsReferenceDoes) {
  EXPECT_EQ(SplitMix(kSplitMixStep), 0xe220a8397b1dcdaf);
  EXPECT_EQ(SplitMix(2 * kSplitMixStep), 0x6e789e6aa1b965f4);
  EXPECT_EQ(SplitMix(1234567 + kSplitMixStep), 6457827717110365317u);
}

}  // namespace
}  // namespace hydra
