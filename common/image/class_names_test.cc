#include "common/image/class_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace hydra {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

ClassNumbers NamesOf(absl::string_view config) {
  const auto names = ClassNamesOf(config, 3);
  EXPECT_TRUE(names.ok()) << config << ": " << names.status();
  return names.ok() ? *names : ClassNumbers();
}

std::string ErrorOf(absl::string_view config) {
  const absl::Status status = ClassNamesOf(config, 3).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << config;
  return std::string(status.message());
}

TEST(ClassNamesTest, AreThoseThatTheModelGivesItsClasses) {
  EXPECT_THAT(NamesOf(R"({"label2id": {"dog": 1, "cat": 0, "eel": 2}})"),
              ElementsAre(Pair("cat", 0), Pair("dog", 1), Pair("eel", 2)));
  EXPECT_THAT(NamesOf(R"({"num_labels": 3})"), IsEmpty());
  EXPECT_THAT(NamesOf(R"({"id2label": {"0": "LABEL_0", "1": "LABEL_1"},
                          "label2id": {"LABEL_0": 0, "LABEL_1": 1}})"),
              IsEmpty());
}

TEST(ClassNamesTest, WhatIsWrongIsNamed) {
  EXPECT_THAT(ErrorOf("no json"), HasSubstr("JSON"));
  EXPECT_THAT(ErrorOf(R"({"label2id": {"cat": 3}})"),
              HasSubstr("config.json: label2id: 'cat' has the number 3"));
}

TEST(ClassNamesTest, FoldersAreFoundByNames) {
  const ClassNumbers named = {{"cat", 1}, {"dog", 0}, {"eel", 2}};
  // Not every class needs a folder.
  const auto classes = ClassesOfFolders(named, {"dog", "eel"}, 3);
  ASSERT_TRUE(classes.ok()) << classes.status();
  EXPECT_EQ(*classes, named);
  const absl::Status wrong =
      ClassesOfFolders(named, {"dog", "zebra"}, 3).status();
  EXPECT_EQ(wrong.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(wrong.message(),
            "found the folder 'zebra'; the 3 classes are 'cat', 'dog', 'eel'");
}

TEST(ClassNamesTest, WithoutNamesFoldersAreNumberedInOrder) {
  const auto classes = ClassesOfFolders({}, {"10", "9", "a"}, 3);
  ASSERT_TRUE(classes.ok()) << classes.status();
  EXPECT_THAT(*classes, ElementsAre(Pair("10", 0), Pair("9", 1), Pair("a", 2)));
  EXPECT_EQ(CheckFoldersAreClasses({"9"}, *classes), absl::OkStatus());
  EXPECT_FALSE(CheckFoldersAreClasses({"9", "b"}, *classes).ok());
}

TEST(ClassNamesTest, ADifferenceOfCountsNamesBoth) {
  std::vector<std::string> folders;
  for (char name = 'a'; name < 'h'; ++name) folders.emplace_back(1, name);
  const absl::Status status = ClassesOfFolders({}, folders, 10).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("found 7 folders of classes ('a', 'b', 'c', "
                              "'d', 'e' and 2 more)"),
                    HasSubstr("the model has 10 classes")));
}

}  // namespace
}  // namespace hydra
