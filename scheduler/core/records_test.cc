#include "scheduler/core/records.h"

#include <gtest/gtest.h>

#include "common/status/proto_time.h"
#include "scheduler/core/job_move.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;

TEST(RecordsTest, EveryPlaceComesBack) {
  for (auto phase :
       {ChainPosition::Phase::kInit, ChainPosition::Phase::kTrain,
        ChainPosition::Phase::kEvaluate, ChainPosition::Phase::kDone}) {
    ChainPosition place;
    place.phase = phase;
    place.step = 7;
    place.task = 3;
    place.split = wv1::SPLIT_TEST;
    place.first_batch = 8;
    const ChainPosition again = FromRecord(ToRecord(place));
    EXPECT_EQ(again.phase, phase);
    EXPECT_EQ(again.step, 7);
    EXPECT_EQ(again.task, 3);
    EXPECT_EQ(again.split, wv1::SPLIT_TEST);
    EXPECT_EQ(again.first_batch, 8);
  }
}

TEST(RecordsTest, VersionsComeBackWithAndWithoutASlot) {
  const BlockKey key{wv1::BLOCK_KIND_ACTIVATION, 3, 1};
  for (const Version& version : {Version{VersionId(5), 128, Slot{4096, 128}},
                                 Version{VersionId(6), 64, std::nullopt}}) {
    const journal::v1::BlockRecord record = ToRecord(key, version);
    const KeyedVersions again = BlocksOf(record);
    ASSERT_EQ(again.size(), 1);
    EXPECT_TRUE(again[0].first == key);
    EXPECT_EQ(again[0].second.id, version.id);
    EXPECT_EQ(again[0].second.size_bytes, version.size_bytes);
    EXPECT_EQ(again[0].second.slot, version.slot);
  }
}

TEST(RecordsTest, ABoundaryOfManyMicroBatchesIsOneRecord) {
  KeyedVersions blocks;
  for (int layer : {2, 3}) {
    for (int i = 0; i < 1000; ++i) {
      // Anywhere, and in any order.
      const uint64_t id = 5000 + layer + (i * 7919) % 1000;
      const int64_t offset = 64 * ((i * 104'729) % 5003);
      blocks.push_back({{wv1::BLOCK_KIND_ACTIVATION, layer, i},
                        {VersionId(id), 64, Slot{offset, 64}}});
    }
  }
  blocks.push_back({{wv1::BLOCK_KIND_PARAMETERS, 3, 0},
                    {VersionId(1), 128, Slot{4096, 128}}});
  const std::vector<journal::v1::BlockRecord> records = ToRecords(blocks);
  ASSERT_EQ(records.size(), 3);
  KeyedVersions again;
  for (const journal::v1::BlockRecord& record : records) {
    const KeyedVersions some = BlocksOf(record);
    again.insert(again.end(), some.begin(), some.end());
  }
  ASSERT_EQ(again.size(), blocks.size());
  for (size_t i = 0; i < blocks.size(); ++i) {
    EXPECT_TRUE(again[i].first == blocks[i].first) << i;
    EXPECT_EQ(again[i].second.id, blocks[i].second.id) << i;
    EXPECT_EQ(again[i].second.slot, blocks[i].second.slot) << i;
  }
}

TEST(RecordsTest, AJobComesBackFromItsRecords) {
  Job job;
  job.id = JobId(4);
  job.sweep = SweepId(2);
  job.submitted.spec.set_name("name");
  job.submitted.output_dir = "/out";
  job.submitted_at = absl::FromUnixSeconds(1);
  RestoreState(job, v1::JOB_STATE_RUNNING, "");
  job.position = {ChainPosition::Phase::kTrain, 9, 2};
  job.plan.total_steps = 20;
  job.plan.resume = ChainPosition{ChainPosition::Phase::kTrain, 5, 0};
  job.restore_dir = "/out/checkpoint-5";
  job.crashes_in_a_row = 1;
  job.nonfinite_in_a_row = 2;
  job.last_nonfinite_step = 8;
  job.eval_loss_sum = 1.5;
  job.eval_tokens = 6;
  job.eval_correct = 5;
  job.training_since = absl::FromUnixSeconds(3);
  job.step_under_way.emplace().mutable_device()->set_seconds(5);
  job.tokens_per_second = 77;
  job.traffic.set_steps(8);
  job.submitted.warnings = {"score.weight is not used"};
  job.prepare_warnings = std::vector<std::string>{"7 bytes are no UTF-8"};
  job.priority = 7;
  job.yields = true;
  Job again;
  journal::v1::SubmittedJob submitted = SubmittedOf(job.submitted);
  submitted.set_sweep_id(job.sweep.value());
  submitted.set_owner_user(1000);
  submitted.set_project_group(500);
  *submitted.mutable_submitted_at() = ToProto(job.submitted_at);
  SetSubmitted(job.id, submitted, again);
  EXPECT_EQ(again.owner.user, 1000);
  EXPECT_EQ(again.project_group, 500);
  SetProgress(ProgressOf(job), again);
  EXPECT_TRUE(again.yields);
  EXPECT_EQ(again.priority, 7) << "and not 0, as it was submitted with";
  EXPECT_EQ(again.tokens_per_second, 77) << "of an ended job";
  EXPECT_EQ(again.traffic.steps(), 8);
  again.tokens_per_second = 0;
  again.traffic.Clear();
  SetPoolJob(PoolJobOf(job), again);
  EXPECT_EQ(again.tokens_per_second, 77);
  EXPECT_EQ(again.traffic.steps(), 8);
  ASSERT_TRUE(again.step_under_way.has_value());
  EXPECT_EQ(again.step_under_way->device().seconds(), 5);
  EXPECT_EQ(again.sweep, job.sweep);
  EXPECT_EQ(again.output_path, "/out/j4-name");
  EXPECT_EQ(again.submitted_at, job.submitted_at);
  EXPECT_EQ(again.started_at, absl::InfinitePast());
  EXPECT_EQ(again.position.task, 2);
  EXPECT_EQ(again.plan.total_steps, 20);
  EXPECT_EQ(again.plan.resume->step, 5);
  EXPECT_EQ(again.restore_dir, job.restore_dir);
  EXPECT_EQ(again.crashes_in_a_row, 1);
  EXPECT_EQ(again.nonfinite_in_a_row, 2);
  EXPECT_EQ(again.last_nonfinite_step, 8);
  EXPECT_EQ(again.eval_loss_sum, 1.5);
  EXPECT_EQ(again.eval_tokens, 6);
  EXPECT_EQ(again.eval_correct, 5);
  EXPECT_EQ(again.training_since, job.training_since);
  EXPECT_EQ(again.submitted.warnings, job.submitted.warnings);
  EXPECT_EQ(*again.prepare_warnings, *job.prepare_warnings);
}

}  // namespace
}  // namespace hydra
