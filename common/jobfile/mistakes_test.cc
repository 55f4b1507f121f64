#include "common/jobfile/mistakes.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

TEST(MistakesTest, StatusTellsEveryMistakeAndCarriesThem) {
  Mistakes mistakes;
  AddMistake("train.seed", "expected a whole number, found 'x'", &mistakes);
  AddMistake("", "line 3: not YAML", &mistakes);

  const absl::Status status = ToStatus(mistakes);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(),
            "train.seed: expected a whole number, found 'x'\n"
            "line 3: not YAML");
  const Mistakes carried = MistakesOf(status);
  ASSERT_EQ(carried.size(), 2);
  EXPECT_EQ(carried[0].field(), "train.seed");
  EXPECT_EQ(carried[1].description(), "line 3: not YAML");
}

TEST(MistakesTest, NoMistakesAreOk) { EXPECT_TRUE(ToStatus({}).ok()); }

TEST(MistakesTest, OtherStatusesCarryNone) {
  EXPECT_TRUE(MistakesOf(absl::NotFoundError("no such job")).empty());
}

TEST(MistakesTest, RecordsNoMoreThanTheLimit) {
  Mistakes mistakes;
  for (int i = 0; i <= kMaxMistakes; ++i) AddMistake("name", "x", &mistakes);
  EXPECT_EQ(mistakes.size(), kMaxMistakes);
  EXPECT_TRUE(IsFull(mistakes));
}

TEST(MistakesTest, FieldNamesOfAnySizeAndContentStayShortText) {
  Mistakes mistakes;
  AddMistake(std::string(1'000'000, '\0'), "unknown key", &mistakes);
  EXPECT_LE(mistakes[0].field().size(), 500);
  EXPECT_EQ(mistakes[0].field().substr(0, 8), "\\x00\\x00");
}

}  // namespace
}  // namespace hydra
