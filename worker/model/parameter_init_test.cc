#include "worker/model/parameter_init.h"

#include <vector>

#include "ATen/Context.h"
#include "ATen/Parallel.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/from_blob.h"
#include "ATen/ops/rand.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

constexpr int64_t kElements = 100001;

std::vector<float> Init(TensorInit init, const std::string& name = "wte",
                        uint64_t seed = 42) {
  std::vector<float> values(kElements, 7.0f);
  InitTensor({name, {kElements}, kElements, 0, init}, seed, values.data());
  return values;
}

constexpr TensorInit kNormal{TensorInit::Kind::kNormal, 0.02};

TEST(ParameterInitTest, ConstantsAreConstant) {
  EXPECT_EQ(Init({TensorInit::Kind::kZero, 0}),
            std::vector<float>(kElements, 0.0f));
  EXPECT_EQ(Init({TensorInit::Kind::kOne, 0}),
            std::vector<float>(kElements, 1.0f));
}

TEST(ParameterInitTest, NormalNumbersHaveTheirMeanAndDeviation) {
  std::vector<float> values = Init(kNormal);
  const at::Tensor numbers =
      at::from_blob(values.data(), {kElements}, at::kFloat).to(at::kDouble);
  EXPECT_NEAR(numbers.mean().item<double>(), 0, 5 * 0.02 / std::sqrt(1e5));
  EXPECT_NEAR(numbers.std().item<double>(), 0.02, 0.02 * 0.02);
  EXPECT_LT(numbers.abs().max().item<double>(), 0.02 * 6);
}

TEST(ParameterInitTest, TheSameSeedAndNameGiveTheSameNumbers) {
  const std::vector<float> first = Init(kNormal);
  Init(kNormal, "another");
  at::rand({100});
  EXPECT_EQ(Init(kNormal), first);

  const int threads = at::get_num_threads();
  at::set_num_threads(threads == 1 ? 2 : 1);
  EXPECT_EQ(Init(kNormal), first);
  at::set_num_threads(threads);
}

TEST(ParameterInitTest, AnotherSeedOrNameGivesOtherNumbers) {
  const std::vector<float> first = Init(kNormal);
  EXPECT_NE(Init(kNormal, "wpe"), first);
  EXPECT_NE(Init(kNormal, "wte", 43), first);
}

TEST(ParameterInitTest, TheProcessWideGeneratorIsLeftAlone) {
  at::manual_seed(5);
  const at::Tensor expected = at::rand({4});
  at::manual_seed(5);
  Init(kNormal);
  EXPECT_TRUE(at::rand({4}).equal(expected));
}

}  // namespace
}  // namespace hydra
