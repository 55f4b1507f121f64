#include "common/jobfile/field_value.h"

#include "gtest/gtest.h"
#include "hydra/v1/job.pb.h"

namespace hydra {
namespace {

std::string Mistake(absl::string_view path, absl::string_view text) {
  v1::JobSpec job;
  const absl::Status set = SetValueAt(path, text, {}, &job);
  return std::string(set.message());
}

TEST(SetValueAtTest, SetsEveryKindOfField) {
  v1::JobSpec job;
  ASSERT_TRUE(SetValueAt("name", "a", {}, &job).ok());
  ASSERT_TRUE(SetValueAt("train.max_steps", "9000000000", {}, &job).ok());
  ASSERT_TRUE(SetValueAt("train.context_length", "128", {}, &job).ok());
  ASSERT_TRUE(SetValueAt("train.seed", "18446744073709551615", {}, &job).ok());
  ASSERT_TRUE(SetValueAt("train.learning_rate", "1e-4", {}, &job).ok());
  ASSERT_TRUE(SetValueAt("train.optim", "adamw", {}, &job).ok());
  ASSERT_TRUE(SetValueAt("data.format", "tokens_u16", {}, &job).ok());
  ASSERT_TRUE(SetValueAt("data.shuffle", "False", {}, &job).ok());
  EXPECT_EQ(job.name(), "a");
  EXPECT_EQ(job.train().max_steps(), 9'000'000'000);
  EXPECT_EQ(job.train().context_length(), 128);
  EXPECT_EQ(job.train().seed(), UINT64_MAX);
  EXPECT_EQ(job.train().learning_rate(), 1e-4);
  EXPECT_EQ(job.train().optim(), v1::OPTIMIZER_ADAMW);
  EXPECT_EQ(job.data().format(), v1::DATA_FORMAT_TOKENS_U16);
  EXPECT_TRUE(job.data().has_shuffle());
  EXPECT_FALSE(job.data().shuffle());
}

TEST(SetValueAtTest, AppendsToRepeatedFields) {
  v1::JobSpec job;
  ASSERT_TRUE(SetValueAt("partition.cut_points", "2", {}, &job).ok());
  ASSERT_TRUE(SetValueAt("partition.cut_points", "5", {}, &job).ok());
  ASSERT_EQ(job.partition().cut_points_size(), 2);
  EXPECT_EQ(job.partition().cut_points(1), 5);
}

TEST(SetValueAtTest, RefusesPathsThatLeadToNoSingleField) {
  EXPECT_EQ(Mistake("train.lr", "1"), "unknown field 'train.lr'");
  EXPECT_EQ(Mistake("name.x", "1"), "unknown field 'name.x'");
  EXPECT_EQ(Mistake("", "1"), "unknown field ''");
  EXPECT_EQ(Mistake(".", "1"), "unknown field '.'");
  EXPECT_EQ(Mistake("train", "1"), "expected a section of keys, found '1'");
}

TEST(SetValueAtTest, SaysWhichNumbersFit) {
  EXPECT_EQ(Mistake("train.seed", "-1"),
            "expected a whole number from 0 to 18446744073709551615, found "
            "'-1'");
  EXPECT_EQ(Mistake("train.context_length", "2147483648"),
            "expected a whole number from -2147483648 to 2147483647, found "
            "'2147483648'");
  EXPECT_EQ(Mistake("train.context_length", "1e3"),
            "expected a whole number, found '1e3'");
  EXPECT_EQ(Mistake("train.learning_rate", "1e999"),
            "expected a finite number, found '1e999'");
}

TEST(SetValueAtTest, LeavesTheFieldAsItWasAfterAMistake) {
  v1::JobSpec job;
  job.mutable_train()->set_learning_rate(0.5);
  EXPECT_FALSE(SetValueAt("train.learning_rate", "x", {}, &job).ok());
  EXPECT_EQ(job.train().learning_rate(), 0.5);
}

TEST(EnumNamesTest, AreShortAndWithoutTheUnspecifiedOne) {
  EXPECT_EQ(EnumNames(*v1::Initialization_descriptor()),
            (std::vector<std::string>{"pretrained", "random"}));
}

}  // namespace
}  // namespace hydra
