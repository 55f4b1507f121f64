#include "common/shared/shared.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "common/shared/shared_by_content.h"

namespace hydra {
namespace {

using Text = std::shared_ptr<const std::string>;

TEST(SharedTest, CopiesAreTheSameValue) {
  const Shared<std::string> value = std::string("a");
  const Shared<std::string> copy = value;
  EXPECT_EQ(&*value, &*copy);
  EXPECT_EQ(*Shared<std::string>(), "");
}

TEST(SharedTest, AFreshValueIsNoOtherCopies) {
  Shared<std::string> value = std::string("a");
  const Shared<std::string> copy = value;
  value.Fresh() += "b";
  EXPECT_EQ(*value, "ab");
  EXPECT_EQ(*copy, "a");
}

TEST(SharedByContentTest, TheSameTextGivesTheSameValue) {
  SharedByContent<std::string> values;
  const auto make = [] { return std::make_shared<const std::string>("v"); };
  const Text first = values.Get("a", make);
  EXPECT_EQ(values.Get("a", make), first);
  EXPECT_NE(values.Get("b", make), first);
}

TEST(SharedByContentTest, ForgetsWhatNobodyUses) {
  SharedByContent<std::string> values;
  const auto make = [] { return std::make_shared<const std::string>("v"); };
  const Text used = values.Get("used", make);
  for (int i = 0; i < 10'000; ++i) values.Get(std::to_string(i), make);
  EXPECT_LT(values.size(), 100);
  EXPECT_EQ(values.Get("used", make), used);
}

}  // namespace
}  // namespace hydra
