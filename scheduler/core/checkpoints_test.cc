#include "scheduler/core/checkpoints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "scheduler/core/testing/checkpoints_fixture.h"
#include "scheduler/journal/tables.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class CheckpointsTest : public CheckpointsFixture {
 protected:
  // Every block of the job gets another version.
  void ReplaceBlocks(const Job& job) {
    const auto before = *blocks_.BlocksOf(job.id);
    for (const auto& [key, version] : before) {
      blocks_.Commit(job.id, key, *blocks_.Make(version.size_bytes));
    }
  }
};

// --- What is written ---

TEST_F(CheckpointsTest, AJobThatIsDueTakesAFreeWriter) {
  Job& job = AddAt(1, InStep(2));
  EndStep(job);
  EXPECT_EQ(checkpoints_.writing(), JobId(1));
  const auto requests = Take<CheckpointRequest>();
  ASSERT_THAT(requests, SizeIs(1));
  EXPECT_EQ(requests[0].directory, "/out/j1-small/checkpoints/checkpoint-2");
  EXPECT_EQ(requests[0].manifest.job_id(), "j1");
  EXPECT_EQ(requests[0].manifest.position().step(), 2);
  EXPECT_EQ(requests[0].manifest.cut_points_size(), 0);
  EXPECT_EQ(requests[0].manifest.splits(0).key(), "train");
  EXPECT_FALSE(requests[0].config_json.empty());
}

// Training replaces the last layers' blocks first.
TEST_F(CheckpointsTest, StateIsWrittenFromTheLastLayerToTheFirst) {
  Job& job = AddAt(1, InStep(2));
  // What an evaluation has in the pool is not kept.
  blocks_.Commit(job.id, ActivationKey(2, 0), *blocks_.Make(64));
  EndStep(job);
  const CheckpointRequest request = Take<CheckpointRequest>().at(0);
  EXPECT_THAT(request.blocks,
              SizeIs(2 * job.shape.table->parameter_blocks.size()));
  int last = std::numeric_limits<int>::max();
  for (const auto& [key, version] : request.blocks) {
    ASSERT_TRUE(IsTrained(key));
    const int owner = job.shape.table->parameter_blocks[key.index].owner();
    EXPECT_LE(owner, last);
    last = owner;
  }
}

// The model that the adapters are of is where it was.
TEST_F(CheckpointsTest, OfAModelWithAdaptersTheseAloneAreWritten) {
  Job& job = AddAt(1, InStep(2));
  ModelTable table = *job.shape.table;
  table.lora.emplace();
  const int adapters = static_cast<int>(table.parameter_blocks.size()) - 1;
  for (int i = 0; i < adapters; ++i) table.parameter_blocks[i].frozen = true;
  job.shape.table = std::move(table);
  EndStep(job);
  const CheckpointRequest request = Take<CheckpointRequest>().at(0);
  std::vector<BlockKey> keys;
  for (const auto& [key, version] : request.blocks) {
    keys.push_back(key);
  }
  EXPECT_THAT(keys, ElementsAre(ParametersKey(adapters), StateKey(adapters)));
}

TEST_F(CheckpointsTest, InsideOfAStepItsBoundariesAndCutsBelongToIt) {
  Job& job = AddAt(1, InStep(3, 1));
  checkpoints_.Save(job, now_);
  const CheckpointRequest request = Take<CheckpointRequest>().at(0);
  EXPECT_THAT(request.directory, EndsWith("/checkpoint-3-inside"));
  EXPECT_THAT(request.manifest.cut_points(), ElementsAre(2));
  EXPECT_EQ(request.manifest.position().task(), 1);
  std::vector<BlockKey> keys;
  for (const auto& [key, version] : request.blocks) keys.push_back(key);
  EXPECT_THAT(keys, Contains(ActivationKey(2, 0)));
  EXPECT_EQ(keys.back(), ActivationKey(2, 1));
}

TEST_F(CheckpointsTest, WhatIsWrittenKeepsItsSlotUntilItIs) {
  Job& job = AddAt(1, InStep(2));
  EndStep(job);
  const CheckpointRequest request = Take<CheckpointRequest>().at(0);
  const int64_t all = blocks_.used_bytes();
  ReplaceBlocks(job);
  EXPECT_EQ(blocks_.kept_bytes(), all);
  checkpoints_.BlockWritten(job.id, 0);
  EXPECT_EQ(blocks_.kept_bytes(), all - request.blocks[0].second.size_bytes);
  checkpoints_.BlockWritten(job.id, 1);
  Written(job.id);
  EXPECT_EQ(blocks_.kept_bytes(), 0);
  blocks_.CheckInvariants({});
}

TEST_F(CheckpointsTest, OneThatIsWrittenIsRecordedAndToldToTheUser) {
  Job& job = AddAt(1, InStep(2));
  v1::EvaluationMetrics metrics;
  metrics.set_split("validation");
  metrics.set_step(2);
  metrics.set_loss(0.5);
  job.evaluations = std::vector<v1::EvaluationMetrics>{metrics};
  metrics.set_split("test");
  metrics.set_loss(0.1);
  job.evaluations.Fresh().push_back(metrics);
  EndStep(job);
  actions_.clear();
  Written(job.id);
  ASSERT_THAT(*job.checkpoints, SizeIs(1));
  EXPECT_EQ(job.checkpoints->at(0).info().bytes(), 1000);
  EXPECT_EQ(job.checkpoints->at(0).info().validation_loss(), 0.5);
  EXPECT_EQ(Take<LineForJob>().at(0).line.text(),
            "checkpoint of step 2, 1000 bytes: "
            "/out/j1-small/checkpoints/checkpoint-2");
  (void)journal_.pool_changes();
  const journal::v1::Change change =
      journal_.TakeEntries().at(0).changes.back();
  EXPECT_EQ(change.table(), kCheckpointsTable);
  EXPECT_EQ(change.b(), CheckpointNumber(2, false));
}

// --- When one is due ---

struct DueCase {
  std::string name;
  int64_t every_steps;
  int64_t every_minutes;
  int64_t step;
  // Ago.
  absl::Duration newest;
  bool is_due;
};

TEST_F(CheckpointsTest, OneIsDueByStepsOrByTime) {
  const std::vector<DueCase> cases = {
      {"between", 2, 0, 3, absl::Hours(9), false},
      {"by its steps", 2, 0, 4, absl::ZeroDuration(), true},
      {"neither is asked for", 0, 0, 4, absl::Hours(9), false},
      {"too early", 0, 5, 4, absl::Seconds(299), false},
      {"by its time", 0, 5, 4, absl::Seconds(300), true},
      {"by its time alone", 2, 5, 3, absl::Seconds(300), true},
      {"by its steps alone", 2, 5, 4, absl::Seconds(1), true},
  };
  for (const DueCase& each : cases) {
    Job& job = AddAt(1, InStep(each.step));
    v1::CheckpointSpec& spec = *job.submitted.spec.mutable_checkpoint();
    spec.set_every_steps(each.every_steps);
    spec.set_every_minutes(each.every_minutes);
    job.checkpointed_at = now_ - each.newest;
    EndStep(job);
    EXPECT_EQ(!checkpoints_.free(), each.is_due) << each.name;
    if (!checkpoints_.free()) Written(job.id);
    blocks_.EndAll(job.id);
    book_.Erase(job.id);
  }
}

TEST_F(CheckpointsTest, ADueOneThatFoundTheWriterTakenIsMadeAtTheNextEnd) {
  EndStep(AddAt(1, InStep(2)));
  Job& late = AddAt(2, InStep(2));
  EndStep(late);
  EXPECT_FALSE(checkpoints_.Holds(late.id));
  Written(JobId(1));
  EXPECT_THAT(TakeRequested(), ElementsAre(JobId(1)));
  late.position.step = 3;
  EndStep(late);
  EXPECT_THAT(TakeRequested(), ElementsAre(JobId(2)));
}

TEST_F(CheckpointsTest, OfAScaledLossItHasTheScale) {
  Job& plain = AddAt(1, InStep(2));
  EndStep(plain);
  EXPECT_FALSE(plain.writing->record.has_loss_scale());
  Written(plain.id);
  Job& scaled = AddAt(2, InStep(2));
  scaled.shape.scales_loss = true;
  scaled.loss_scale.set_scale(512);
  scaled.loss_scale.set_skipped_steps(3);
  EndStep(scaled);
  EXPECT_EQ(scaled.writing->record.loss_scale().scale(), 512);
  EXPECT_EQ(scaled.writing->record.loss_scale().skipped_steps(), 3);
}

TEST_F(CheckpointsTest, AFailedOneIsTriedAgainLaterAndTheOlderOnesStay) {
  Job& job = AddAt(1, InStep(2));
  EndStep(job);
  Written(job.id);
  job.position.step = 4;
  EndStep(job);
  actions_.clear();
  checkpoints_.Written(job.id, absl::ResourceExhaustedError("disk is full"),
                       now_);
  EXPECT_EQ(blocks_.kept_bytes(), 0);
  EXPECT_THAT(Kept(job), ElementsAre("checkpoint-2"));
  const LineForJob line = Take<LineForJob>().at(0);
  EXPECT_EQ(line.line.severity(), "W");
  EXPECT_THAT(line.line.text(), HasSubstr("disk is full"));
  job.position.step = 5;
  now_ += options_.checkpoint_retry - absl::Seconds(1);
  EndStep(job);
  EXPECT_TRUE(checkpoints_.free());
  now_ += absl::Seconds(1);
  EndStep(job);
  EXPECT_EQ(checkpoints_.writing(), job.id);
}

// --- Which ones stay ---

struct Saved {
  int64_t step;
  std::optional<double> loss;
  // Of the step.
  int task = 0;
};

struct RetentionCase {
  std::string name;
  int keep_last;
  bool keep_best;
  std::vector<Saved> saved;
  std::vector<std::string> kept;
};

TEST_F(CheckpointsTest, TheNewestAndTheBestStay) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<RetentionCase> cases = {
      {"none is measured",
       2,
       true,
       {{2, {}}, {4, {}}, {6, {}}},
       {"checkpoint-4", "checkpoint-6"}},
      {"an old one is the best",
       2,
       true,
       {{2, 3}, {4, 1}, {6, 2}, {8, 2.5}, {10, 2}},
       {"checkpoint-4", "checkpoint-8", "checkpoint-10"}},
      {"the best is among the newest",
       2,
       true,
       {{2, 3}, {4, 2}, {6, 1}},
       {"checkpoint-4", "checkpoint-6"}},
      {"of equal ones the oldest",
       1,
       true,
       {{2, 1}, {4, 1}, {6, 1}},
       {"checkpoint-2", "checkpoint-6"}},
      {"no number is never the best",
       1,
       true,
       {{2, kNan}, {4, 5}, {6, 7}},
       {"checkpoint-4", "checkpoint-6"}},
      {"the best is not asked for",
       1,
       false,
       {{2, 1}, {4, 2}, {6, 3}},
       {"checkpoint-6"}},
      {"one inside of a step is kept beside while it is the newest",
       2,
       false,
       {{2, {}}, {4, {}}, {5, {}, 1}},
       {"checkpoint-2", "checkpoint-4", "checkpoint-5-inside"}},
      {"and goes with the next one",
       2,
       false,
       {{2, {}}, {4, {}}, {5, {}, 1}, {6, {}}},
       {"checkpoint-4", "checkpoint-6"}},
      {"a place that is saved again has one",
       2,
       false,
       {{2, {}}, {4, {}}, {4, {}}},
       {"checkpoint-2", "checkpoint-4"}},
  };
  for (const RetentionCase& each : cases) {
    SCOPED_TRACE(each.name);
    Job& job = AddAt(1, InStep(0));
    job.submitted.spec.mutable_checkpoint()->set_keep_last(each.keep_last);
    job.submitted.spec.mutable_checkpoint()->set_keep_best(each.keep_best);
    actions_.clear();
    absl::flat_hash_set<std::string> on_disk;
    for (const Saved& saved : each.saved) {
      job.position = InStep(saved.step, saved.task);
      if (saved.loss.has_value()) {
        v1::EvaluationMetrics metrics;
        metrics.set_step(saved.step);
        metrics.set_split("validation");
        metrics.set_loss(*saved.loss);
        job.evaluations.Fresh().push_back(metrics);
      }
      checkpoints_.Save(job, now_);
      Written(job.id);
      on_disk.insert(job.checkpoints->back().info().path());
    }
    EXPECT_EQ(Kept(job), each.kept);
    // Each of the others is removed, once.
    for (const CheckpointRemoval& removal : Take<CheckpointRemoval>()) {
      EXPECT_EQ(on_disk.erase(removal.path), 1) << removal.path;
    }
    EXPECT_EQ(on_disk.size(), each.kept.size());
    blocks_.EndAll(job.id);
    book_.Erase(job.id);
  }
}

TEST_F(CheckpointsTest, OfAJobThatIsDeletedNothingStays) {
  Job& job = AddAt(1, InStep(2));
  EndStep(job);
  Written(job.id);
  job.position.step = 4;
  EndStep(job);
  checkpoints_.RemoveAll(job);
  job.delete_checkpoints = true;
  Written(job.id);
  EXPECT_THAT(*job.checkpoints, IsEmpty());
  const auto removals = Take<CheckpointRemoval>();
  ASSERT_THAT(removals, SizeIs(2));
  EXPECT_THAT(removals[0].path, EndsWith("checkpoint-2"));
  EXPECT_THAT(removals[1].path, EndsWith("checkpoint-4"));
}

}  // namespace
}  // namespace hydra
