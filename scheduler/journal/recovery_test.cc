#include "scheduler/journal/recovery.h"

#include <gtest/gtest.h>

#include "scheduler/journal/journal.h"
#include "scheduler/journal/memory_record_store.h"
#include "scheduler/journal/record_change.h"
#include "scheduler/journal/tables.h"

namespace hydra {
namespace {

namespace jv1 = hydra::journal::v1;

// One sweep of two jobs, of which the second has ended.
struct TwoJobs {
  TwoJobs() {
    jv1::SweepRecord sweep;
    sweep.add_job_ids(1);
    sweep.add_job_ids(2);
    jv1::SubmittedJob submitted;
    submitted.mutable_spec()->set_name("one");
    Write(journal.Submitted(SweepId(1), sweep,
                            {{JobId(1), submitted.SerializeAsString()},
                             {JobId(2), submitted.SerializeAsString()}}));
    jv1::JobProgress progress;
    progress.mutable_ended_at()->set_seconds(5);
    journal.JobChanged(JobId(2), progress);
    for (uint64_t job : {1, 2}) {
      hydra::v1::StepMetrics step;
      for (int64_t i = 0; i < 4; ++i) {
        step.set_step(i);
        journal.StepRecorded(JobId(job), step);
      }
      hydra::v1::EvaluationMetrics evaluation;
      evaluation.set_step(2);
      journal.EvaluationRecorded(JobId(job), evaluation);
    }
  }

  // The turn's changes arrive in both stores, or in pool.db alone.
  void Write(uint64_t) { EndTurn(/*deliver=*/true); }
  void EndTurn(bool deliver) {
    EXPECT_TRUE(pool.Apply(journal.pool_changes()).ok());
    for (const Journal::Entry& entry : journal.TakeEntries()) {
      if (!deliver) continue;
      EXPECT_TRUE(jobs.Apply(entry.changes).ok());
      EXPECT_TRUE(
          WriteNumber(jobs, kJobsMetaTable, kLastSequence, entry.sequence)
              .ok());
    }
  }

  Journal journal;
  MemoryRecordStore jobs;
  MemoryRecordStore pool;
};

int OutboxSize(const RecordStore& pool) {
  int size = 0;
  EXPECT_TRUE(pool.ForEach(kOutboxTable,
                           [&](int64_t, int64_t, absl::string_view) {
                             ++size;
                             return absl::OkStatus();
                           })
                  .ok());
  return size;
}

TEST(RecoveryTest, ReadsJobsAndTheStepsOfThoseThatHaveNotEnded) {
  TwoJobs two;
  two.EndTurn(true);
  const Recovered recovered = *ReadJobs(two.jobs);
  ASSERT_EQ(recovered.jobs.size(), 2);
  EXPECT_EQ(recovered.sweeps.at(SweepId(1)).job_ids_size(), 2);
  EXPECT_EQ(recovered.jobs.at(JobId(1)).steps.size(), 4);
  EXPECT_EQ(recovered.jobs.at(JobId(2)).steps.size(), 0);
  EXPECT_EQ(recovered.jobs.at(JobId(2)).evaluations.size(), 1);
  EXPECT_EQ(ReadJob(two.jobs, JobId(2), /*with_steps=*/true)->steps.size(), 4);
  EXPECT_EQ(ReadJob(two.jobs, JobId(1), /*with_steps=*/false)->steps.size(), 0);
  EXPECT_TRUE(absl::IsNotFound(ReadJob(two.jobs, JobId(3), true).status()));
  EXPECT_TRUE(absl::IsNotFound(ReadSweep(two.jobs, SweepId(3)).status()));
}

TEST(RecoveryTest, LeavesOldSweepsThatHaveEnded) {
  TwoJobs two;
  jv1::JobProgress ended;
  ended.mutable_ended_at()->set_seconds(5);
  for (uint64_t sweep : {2, 3}) {
    jv1::SweepRecord record;
    record.add_job_ids(sweep + 1);
    two.journal.Submitted(SweepId(sweep), record, {{JobId(sweep + 1), {}}});
    two.journal.JobChanged(JobId(sweep + 1), ended);
  }
  two.EndTurn(true);
  const Recovered recovered = *ReadJobs(two.jobs, /*kept_ended_jobs=*/1);
  EXPECT_EQ(recovered.sweeps.size(), 3);
  // The first sweep goes on; of the other two the newer is enough.
  EXPECT_EQ(recovered.jobs.count(JobId(1)), 1);
  EXPECT_EQ(recovered.jobs.count(JobId(3)), 0);
  EXPECT_EQ(recovered.jobs.count(JobId(4)), 1);
}

TEST(RecoveryTest, ADeletedJobIsGoneAndItsSweepsRecordStays) {
  TwoJobs two;
  two.EndTurn(true);
  EXPECT_FALSE(*WasDeleted(two.jobs, JobId(2)));
  two.journal.JobDeleted(JobId(2));
  // Killed before jobs.db has it.
  two.EndTurn(/*deliver=*/false);
  EXPECT_TRUE(ReadSubmitted(two.jobs, JobId(2)).ok());
  ASSERT_TRUE(DeliverOutbox(two.pool, two.jobs).ok());
  EXPECT_TRUE(*WasDeleted(two.jobs, JobId(2)));
  EXPECT_FALSE(*WasDeleted(two.jobs, JobId(1)));
  EXPECT_EQ(ReadDeletedJobs(two.jobs)->size(), 1);
  EXPECT_TRUE(absl::IsNotFound(ReadSubmitted(two.jobs, JobId(2)).status()));
  int left = 0;
  for (int table : {kProgressTable, kStepsTable, kEvaluationsTable}) {
    EXPECT_TRUE(two.jobs
                    .ForEachOf(table, 2,
                               [&](int64_t, int64_t, absl::string_view) {
                                 ++left;
                                 return absl::OkStatus();
                               })
                    .ok());
  }
  EXPECT_EQ(left, 0);
  const Recovered recovered = *ReadJobs(two.jobs);
  EXPECT_EQ(recovered.jobs.size(), 1);
  EXPECT_EQ(recovered.jobs.at(JobId(1)).steps.size(), 4);
  EXPECT_EQ(recovered.sweeps.at(SweepId(1)).job_ids_size(), 2);
}

TEST(RecoveryTest, ASweepOfEndedAndDeletedJobsIsOldAndCountsWhatIsLeft) {
  TwoJobs two;
  jv1::JobProgress ended;
  ended.mutable_ended_at()->set_seconds(5);
  for (uint64_t sweep : {2, 3}) {
    jv1::SweepRecord record;
    const JobId first(2 * sweep);
    const JobId second(2 * sweep + 1);
    record.add_job_ids(first.value());
    record.add_job_ids(second.value());
    two.journal.Submitted(SweepId(sweep), record, {{first, {}}, {second, {}}});
    two.journal.JobChanged(first, ended);
    two.journal.JobChanged(second, ended);
    two.journal.JobDeleted(second);
  }
  two.EndTurn(true);
  // Of sweep 3 one job is left; with it, enough are kept.
  EXPECT_EQ(ReadJobs(two.jobs, /*kept_ended_jobs=*/1)->jobs.count(JobId(4)), 0);
  EXPECT_EQ(ReadJobs(two.jobs, /*kept_ended_jobs=*/1)->jobs.count(JobId(6)), 1);
  EXPECT_EQ(ReadJobs(two.jobs, /*kept_ended_jobs=*/2)->jobs.count(JobId(4)), 1);
}

TEST(RecoveryTest, DeliversTheOutboxAndEmptiesIt) {
  TwoJobs two;
  two.EndTurn(/*deliver=*/false);
  EXPECT_EQ(ReadJobs(two.jobs)->jobs.at(JobId(1)).steps.size(), 0);
  EXPECT_EQ(OutboxSize(two.pool), 1);
  EXPECT_EQ(*DeliverOutbox(two.pool, two.jobs), 2);
  EXPECT_EQ(ReadJobs(two.jobs)->jobs.at(JobId(1)).steps.size(), 4);
  EXPECT_EQ(OutboxSize(two.pool), 0);
  EXPECT_EQ(*DeliverOutbox(two.pool, two.jobs), 2);
}

TEST(RecoveryTest, WhatAccountsHaveUsedArrivesThoughItIsOfNoJob) {
  TwoJobs two;
  EXPECT_FALSE(ReadJobs(two.jobs)->shares.has_value());
  jv1::ShareRecord shares;
  shares.add_accounts()->set_account(7);
  two.journal.SharesChanged(shares);
  two.EndTurn(/*deliver=*/false);
  ASSERT_TRUE(DeliverOutbox(two.pool, two.jobs).ok());
  const Recovered recovered = *ReadJobs(two.jobs);
  ASSERT_TRUE(recovered.shares.has_value());
  ASSERT_EQ(recovered.shares->accounts_size(), 1);
  EXPECT_EQ(recovered.shares->accounts(0).account(), 7);
}

TEST(RecoveryTest, WhatIsDrainedArrivesThoughItIsOfNoJob) {
  TwoJobs two;
  EXPECT_FALSE(ReadJobs(two.jobs)->drains.has_value());
  jv1::DrainRecord drains;
  drains.set_maintenance("driver update");
  two.journal.DrainsChanged(drains);
  two.EndTurn(/*deliver=*/false);
  ASSERT_TRUE(DeliverOutbox(two.pool, two.jobs).ok());
  const Recovered recovered = *ReadJobs(two.jobs);
  ASSERT_TRUE(recovered.drains.has_value());
  EXPECT_EQ(recovered.drains->maintenance(), "driver update");
}

TEST(RecoveryTest, DoesNotDeliverAgainWhatArrivedBeforeTheDaemonDied) {
  TwoJobs two;
  two.EndTurn(/*deliver=*/true);
  EXPECT_EQ(OutboxSize(two.pool), 1);
  // Nothing that jobs.db learnt since, from whomever, is undone.
  ASSERT_TRUE(two.jobs.Apply({MakeEraseFrom(kStepsTable, 1, 2)}).ok());
  EXPECT_EQ(*DeliverOutbox(two.pool, two.jobs), 2);
  EXPECT_EQ(ReadJobs(two.jobs)->jobs.at(JobId(1)).steps.size(), 2);
  EXPECT_EQ(OutboxSize(two.pool), 0);
}

TEST(RecoveryTest, DropsWhatTheOutboxHasOfJobsWithoutASubmission) {
  TwoJobs two;
  two.EndTurn(/*deliver=*/false);
  ASSERT_TRUE(two.jobs.Apply({MakeErase(kSubmittedTable, 2, 0)}).ok());
  EXPECT_EQ(*DeliverOutbox(two.pool, two.jobs), 2);
  const auto recovered = ReadJobs(two.jobs);
  ASSERT_TRUE(recovered.ok()) << recovered.status();
  EXPECT_EQ(recovered->jobs.size(), 1);
  EXPECT_EQ(recovered->jobs.at(JobId(1)).steps.size(), 4);
}

TEST(RecoveryTest, ForgetsAWorkerWithItsHand) {
  TwoJobs two;
  for (uint64_t task : {10, 11, 12}) {
    hydra::worker::v1::Task wire;
    wire.set_task_id(task);
    two.journal.TaskHandedOut(WorkerId(task == 11 ? 2 : 1), wire);
  }
  two.journal.WorkerStarted(WorkerId(1), {});
  two.journal.WorkerStarted(WorkerId(2), {});
  two.EndTurn(true);
  Recovered recovered;
  ASSERT_TRUE(ReadPool(two.pool, recovered).ok());
  ASSERT_TRUE(ForgetWorker(WorkerId(1), two.pool, recovered).ok());
  EXPECT_EQ(recovered.hand_outs.size(), 1);
  Recovered again;
  ASSERT_TRUE(ReadPool(two.pool, again).ok());
  EXPECT_EQ(again.hand_outs.count(TaskId(11)), 1);
  EXPECT_EQ(again.hand_outs.size(), 1);
  EXPECT_EQ(again.workers.size(), 1);
}

TEST(RecoveryTest, DropsThePool) {
  TwoJobs two;
  two.journal.PoolJobChanged(JobId(1), {});
  two.journal.BlockChanged(JobId(1), {});
  two.journal.TaskHandedOut(WorkerId(1), {});
  two.journal.WorkerStarted(WorkerId(1), {});
  two.EndTurn(true);
  Recovered recovered = *ReadJobs(two.jobs);
  ASSERT_TRUE(ReadPool(two.pool, recovered).ok());
  EXPECT_TRUE(recovered.jobs.at(JobId(1)).pool.has_value());
  EXPECT_EQ(recovered.jobs.at(JobId(1)).blocks.size(), 1);
  DropPool(recovered);
  EXPECT_EQ(recovered.jobs.size(), 2);
  EXPECT_FALSE(recovered.jobs.at(JobId(1)).pool.has_value());
  EXPECT_TRUE(recovered.jobs.at(JobId(1)).blocks.empty());
  EXPECT_TRUE(recovered.hand_outs.empty());
  EXPECT_TRUE(recovered.workers.empty());
}

TEST(RecoveryTest, ARecordThatIsNoMessageIsDataLoss) {
  TwoJobs two;
  ASSERT_TRUE(
      two.jobs.Apply({MakePut(kSubmittedTable, 1, 0, "\xff\xff")}).ok());
  EXPECT_TRUE(absl::IsDataLoss(ReadJobs(two.jobs).status()));
}

TEST(RecoveryTest, TheDiskSaysWhichCheckpointsThereAre) {
  auto record = [](const std::string& path, int64_t step) {
    jv1::CheckpointRecord checkpoint;
    checkpoint.mutable_info()->set_path(path);
    checkpoint.mutable_info()->set_step(step);
    return checkpoint;
  };
  RecoveredJob job;
  job.checkpoints = {record("gone", 1), record("kept", 2)};
  job.checkpoints[1].mutable_info()->set_validation_loss(0.5);
  UseCheckpoints({record("new", 3), record("kept", 2)}, job);
  ASSERT_EQ(job.checkpoints.size(), 2);
  EXPECT_EQ(job.checkpoints[0].info().path(), "kept");
  EXPECT_EQ(job.checkpoints[0].info().validation_loss(), 0.5);
  EXPECT_EQ(job.checkpoints[1].info().path(), "new");
}

}  // namespace
}  // namespace hydra
