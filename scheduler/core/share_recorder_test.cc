#include "scheduler/core/share_recorder.h"

#include <gtest/gtest.h>

#include <vector>

#include "absl/time/time.h"
#include "scheduler/journal/journal.h"
#include "scheduler/journal/tables.h"
#include "scheduler/policy/sharded_lrtf.h"

namespace hydra {
namespace {

namespace jv1 = hydra::journal::v1;

constexpr Account kAnn{1};
constexpr Account kBob{2};

class ShareRecorderTest : public ::testing::Test {
 protected:
  // What was recorded since the last call.
  std::vector<jv1::ShareRecord> TakeRecords() {
    std::vector<jv1::ShareRecord> records;
    journal_.pool_changes();
    for (const Journal::Entry& entry : journal_.TakeEntries()) {
      for (const jv1::Change& change : entry.changes) {
        EXPECT_EQ(change.table(), kJobsMetaTable);
        EXPECT_EQ(change.b(), kSharesOfAccounts);
        EXPECT_TRUE(records.emplace_back().ParseFromString(change.value()));
      }
    }
    return records;
  }

  absl::Time now_ = absl::FromUnixSeconds(1'000'000);
  Journal journal_;
  ShardedLrtf lrtf_;
  ShareOrder shares_{&lrtf_, {}};
  ShareRecorder recorder_{&shares_, &journal_};
};

TEST_F(ShareRecorderTest, OneAccountAloneIsNotRecorded) {
  shares_.Charge(kAnn, absl::Seconds(5), now_);
  recorder_.Tick(now_);
  EXPECT_TRUE(TakeRecords().empty());
}

TEST_F(ShareRecorderTest, WhatWasUsedIsRecordedEverySoOften) {
  shares_.Charge(kAnn, absl::Seconds(5), now_);
  shares_.Charge(kBob, absl::Seconds(7), now_);
  recorder_.Tick(now_);
  std::vector<jv1::ShareRecord> records = TakeRecords();
  ASSERT_EQ(records.size(), 1);
  ASSERT_EQ(records[0].accounts_size(), 2);
  EXPECT_EQ(records[0].accounts(0).account(), kAnn.number);
  EXPECT_EQ(records[0].accounts(0).used().seconds(), 5);
  EXPECT_EQ(records[0].accounts(1).used().seconds(), 7);
  shares_.Charge(kAnn, absl::Seconds(5), now_ + absl::Seconds(1));
  recorder_.Tick(now_ + ShareRecorder::kEvery - absl::Seconds(1));
  EXPECT_TRUE(TakeRecords().empty());
  recorder_.Tick(now_ + ShareRecorder::kEvery);
  EXPECT_EQ(TakeRecords().size(), 1);
  // Nothing is new.
  recorder_.Tick(now_ + 5 * ShareRecorder::kEvery);
  EXPECT_TRUE(TakeRecords().empty());
}

TEST_F(ShareRecorderTest, AnotherDaemonGoesOnFromTheRecord) {
  shares_.HandedOut(kAnn, 0, absl::Seconds(1), now_);
  shares_.Charge(kAnn, absl::Seconds(60), now_);
  shares_.HandedOut(kAnn, 0, absl::Seconds(1), now_);
  shares_.Charge(kBob, absl::Seconds(30), now_);
  recorder_.Tick(now_);
  const std::vector<jv1::ShareRecord> records = TakeRecords();
  ASSERT_EQ(records.size(), 1);
  ShareOrder again(&lrtf_, {});
  Journal journal;
  ShareRecorder(&again, &journal).Restore(records[0], now_);
  const ShareLedger& ledger = again.ledger();
  EXPECT_EQ(ledger.now(), now_);
  EXPECT_NEAR(absl::ToDoubleSeconds(ledger.level()), 60, 1e-3);
  // What was promised is in no hand that this one knows. Bob began where ann
  // was last.
  EXPECT_NEAR(absl::ToDoubleSeconds(ledger.LeadOf(kBob, kAnn)), 30, 1e-3);
}

TEST_F(ShareRecorderTest, ARecordOfAClockThatWasAheadKeepsNothingFromCounting) {
  shares_.Charge(kAnn, absl::Seconds(60), now_ + absl::Hours(10'000));
  shares_.Charge(kBob, absl::Seconds(30), now_ + absl::Hours(10'000));
  recorder_.Tick(now_);
  const std::vector<jv1::ShareRecord> records = TakeRecords();
  ASSERT_EQ(records.size(), 1);
  ShareOrder again(&lrtf_, {});
  ShareRecorder recorder(&again, &journal_);
  recorder.Restore(records[0], now_);
  EXPECT_EQ(again.ledger().now(), now_);
  const absl::Time day = now_ + absl::Hours(24);
  again.Charge(kBob, absl::Seconds(1), day);
  recorder.Tick(day);
  const std::vector<jv1::ShareRecord> newer = TakeRecords();
  ASSERT_EQ(newer.size(), 1);
  EXPECT_EQ(newer[0].accounts(0).used().seconds(), 30) << "half of it";
}

}  // namespace
}  // namespace hydra
