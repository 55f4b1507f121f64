#include "scheduler/journal/journal.h"

#include <gtest/gtest.h>

#include "scheduler/journal/tables.h"

namespace hydra {
namespace {

using journal::v1::Change;

hydra::v1::StepMetrics Step(int64_t number) {
  hydra::v1::StepMetrics step;
  step.set_step(number);
  return step;
}

int Count(const std::vector<Change>& changes, int table, Change::Kind kind) {
  int count = 0;
  for (const Change& change : changes) {
    count += change.table() == table && change.kind() == kind ? 1 : 0;
  }
  return count;
}

TEST(JournalTest, WhatGoesToTheDiskWaitsInTheOutbox) {
  Journal journal(7);
  journal.StepRecorded(JobId(1), Step(3));
  journal.TaskEnded(TaskId(9));
  EXPECT_EQ(Count(journal.pool_changes(), kOutboxTable, Change::KIND_PUT), 1);
  EXPECT_EQ(Count(journal.pool_changes(), kHandOutsTable, Change::KIND_ERASE),
            1);
  const std::vector<Journal::Entry> entries = journal.TakeEntries();
  ASSERT_EQ(entries.size(), 1);
  EXPECT_EQ(entries[0].sequence, 8);
  EXPECT_FALSE(entries[0].refusable);
  EXPECT_EQ(Count(entries[0].changes, kStepsTable, Change::KIND_PUT), 1);
  EXPECT_TRUE(journal.pool_changes().empty());
  // Not before it has arrived.
  journal.Recorded(7);
  EXPECT_TRUE(journal.pool_changes().empty());
  journal.Recorded(8);
  EXPECT_EQ(Count(journal.pool_changes(), kOutboxTable, Change::KIND_ERASE), 1);
}

TEST(JournalTest, ATurnThatCouldNotBeWrittenIsPartOfTheNext) {
  Journal journal;
  journal.StepRecorded(JobId(1), Step(1));
  EXPECT_EQ(journal.pool_changes().size(), 1);
  journal.StepRecorded(JobId(1), Step(2));
  EXPECT_EQ(journal.pool_changes().size(), 2);
  EXPECT_EQ(journal.TakeEntries().size(), 2);
}

TEST(JournalTest, SubmissionsMayBeWithdrawnFromATurnThatCouldNotBeWritten) {
  Journal journal;
  journal.StepRecorded(JobId(1), Step(1));
  journal.Submitted(SweepId(2), {}, {{JobId(2), {}}});
  journal.StepRecorded(JobId(1), Step(2));
  EXPECT_EQ(journal.pool_changes().size(), 2);
  EXPECT_EQ(journal.WithdrawSubmissions(), std::vector<uint64_t>({2}));
  const std::vector<Journal::Entry> entries = journal.TakeEntries();
  ASSERT_EQ(entries.size(), 2);
  EXPECT_EQ(entries[0].sequence, 1);
  EXPECT_EQ(entries[1].sequence, 3);
}

TEST(JournalTest, ASubmissionKeepsItsPlaceAndSkipsTheOutbox) {
  Journal journal;
  journal.StepRecorded(JobId(1), Step(1));
  EXPECT_EQ(journal.Submitted(SweepId(2), {}, {{JobId(2), {}}}), 2);
  journal.StepRecorded(JobId(1), Step(2));
  EXPECT_EQ(Count(journal.pool_changes(), kOutboxTable, Change::KIND_PUT), 2);
  const std::vector<Journal::Entry> entries = journal.TakeEntries();
  ASSERT_EQ(entries.size(), 3);
  EXPECT_EQ(entries[0].sequence, 1);
  EXPECT_TRUE(entries[1].refusable);
  EXPECT_EQ(entries[1].changes.size(), 2);
  EXPECT_EQ(entries[2].sequence, 3);
}

}  // namespace
}  // namespace hydra
