#include "scheduler/core/submission_ledger.h"

#include <gtest/gtest.h>

namespace hydra {
namespace {

TEST(SubmissionLedgerTest, AnswersARepeatedRequestAsTheFirstTime) {
  SubmissionLedger ledger(/*most=*/10);
  ledger.Add({"a"}, {SweepId(1), 7, ""});
  ledger.Add({"a"}, {SweepId(2), 8, ""});
  EXPECT_EQ(ledger.Find({"a"})->sweep, SweepId(1));
  EXPECT_EQ(ledger.Find({"a"})->sequence, 7);
  EXPECT_FALSE(ledger.Find({"b"}).has_value());
}

TEST(SubmissionLedgerTest, AnIdCannotBeUsedForSomethingElse) {
  const Submission first{SweepId(3), 1, "digest"};
  EXPECT_TRUE(CheckRepeats(first, {"a", "digest"}).ok());
  const absl::Status other = CheckRepeats(first, {"a", "another"});
  EXPECT_EQ(other.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_NE(other.message().find("s3"), std::string::npos);
  // An earlier version noted none.
  EXPECT_TRUE(CheckRepeats({SweepId(3), 1, ""}, {"a", "digest"}).ok());
}

TEST(SubmissionLedgerTest, ARequestWithoutAnIdIsNeverARepeatedOne) {
  SubmissionLedger ledger(/*most=*/10);
  ledger.Add({""}, {SweepId(1), 1, ""});
  EXPECT_FALSE(ledger.Find({""}).has_value());
}

TEST(SubmissionLedgerTest, AnIdIsItsCallersOwn) {
  const RequestKey mine{"a", "", Caller{1000}};
  const RequestKey yours{"a", "", Caller{1001}};
  SubmissionLedger ledger(/*most=*/10);
  ledger.Add(mine, {SweepId(1), 1, ""});
  EXPECT_FALSE(ledger.Find(yours).has_value());
  ledger.Add(yours, {SweepId(2), 2, ""});
  EXPECT_EQ(ledger.Find(mine)->sweep, SweepId(1));
  EXPECT_EQ(ledger.Find(yours)->sweep, SweepId(2));
  ledger.Remove(yours);
  EXPECT_TRUE(ledger.Find(mine).has_value());
}

TEST(SubmissionLedgerTest, AnIdOfAnEarlierVersionAnswersToAll) {
  SubmissionLedger ledger(/*most=*/10);
  ledger.Add({"a"}, {SweepId(1), 0, ""});
  EXPECT_EQ(ledger.Find({"a", "", Caller{1000}})->sweep, SweepId(1));
}

TEST(SubmissionLedgerTest, ForgetsTheOldestOfTooMany) {
  SubmissionLedger ledger(/*most=*/2);
  ledger.Add({"a"}, {SweepId(1), 1, ""});
  ledger.Add({"b"}, {SweepId(2), 2, ""});
  ledger.Add({"c"}, {SweepId(3), 3, ""});
  EXPECT_FALSE(ledger.Find({"a"}).has_value());
  EXPECT_TRUE(ledger.Find({"b"}).has_value());
}

TEST(SubmissionLedgerTest, ARefusedRequestMayComeAgain) {
  SubmissionLedger ledger(/*most=*/2);
  ledger.Add({"a"}, {SweepId(1), 1, ""});
  ledger.Add({"b"}, {SweepId(2), 2, ""});
  ledger.Remove({"b"});
  ledger.Remove({"unknown"});
  ledger.Add({"b"}, {SweepId(3), 3, ""});
  EXPECT_TRUE(ledger.Find({"a"}).has_value());
  EXPECT_EQ(ledger.Find({"b"})->sweep, SweepId(3));
}

}  // namespace
}  // namespace hydra
