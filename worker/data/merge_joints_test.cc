#include "worker/data/merge_joints.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

// '_' is U+2581 here.
Tokenizer Small() {
  Tokenizer tokenizer;
  tokenizer.model = TokenModel::kCharacterBpe;
  tokenizer.vocabulary = {{"\u2581", 0},      {"a", 1},       {"b", 2},
                          {"\u2581a", 3},     {"b\u2581", 4}, {"b\u2581a", 5},
                          {"\u2581\u2581", 6}};
  tokenizer.merges = {
      {{0, 1}, {0, 3}}, {{4, 1}, {1, 5}}, {{0, 0}, {2, 6}}, {{2, 0}, {3, 4}}};
  return tokenizer;
}

std::string Split(const MergeJoints& joints, absl::string_view word) {
  std::string parts;
  joints.Split(word, [&](absl::string_view part) {
    absl::StrAppend(&parts, part, "|");
  });
  return parts;
}

TEST(MergeJointsTest, APairJoinsOnlyIfAMergeHasIt) {
  const MergeJoints joints(Small());
  EXPECT_TRUE(joints.MayJoin(0x2581, 'a'));
  EXPECT_TRUE(joints.MayJoin('b', 0x2581));
  EXPECT_FALSE(joints.MayJoin('a', 0x2581));
  EXPECT_FALSE(joints.MayJoin('a', 'b'));
}

TEST(MergeJointsTest, WhatIsUnknownMayJoinUnlessBytesStandForIt) {
  Tokenizer tokenizer = Small();
  EXPECT_TRUE(MergeJoints(tokenizer).MayJoin('a', 'x'));
  tokenizer.byte_tokens.assign(256, 7);
  EXPECT_FALSE(MergeJoints(tokenizer).MayJoin('a', 'x'));
  tokenizer.byte_tokens[9] = kNoByteToken;
  EXPECT_TRUE(MergeJoints(tokenizer).MayJoin('a', 'x'));
  // A byte that merges.
  tokenizer.byte_tokens.assign(256, 1);
  EXPECT_TRUE(MergeJoints(tokenizer).MayJoin('a', 'x'));
}

TEST(MergeJointsTest, SplitsWhereNothingJoins) {
  const MergeJoints joints(Small());
  EXPECT_EQ(Split(joints, "\u2581a\u2581b\u2581\u2581a"),
            "\u2581a|\u2581b\u2581\u2581a|");
  EXPECT_EQ(Split(joints, "ab"), "ab|");
}

TEST(MergeJointsTest, KeepsWordsThatMayBeTokens) {
  Tokenizer tokenizer = Small();
  tokenizer.ignore_merges = true;
  EXPECT_EQ(Split(MergeJoints(tokenizer), "a\u2581a"), "a\u2581a|");
}

}  // namespace
}  // namespace hydra
