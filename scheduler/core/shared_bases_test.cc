#include "scheduler/core/shared_bases.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "scheduler/core/job_move.h"
#include "scheduler/core/next_task.h"
#include "scheduler/core/testing/results_fixture.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Kind = JobStart::Outcome::Kind;

// Small jobs, of which only the last layers' parameters are trained.
class SharedBasesTest : public ResultsFixture {
 protected:
  static constexpr int kFirstTrainedLayer = 2;

  // Before its admission, cut before its first trained layer.
  Job& AddCut(uint64_t id, const std::string& base_key = "a base") {
    Job& job = AddSmallJob(id, book_);
    ModelTable table = *job.shape.table;
    for (ParameterBlock& block : table.parameter_blocks) {
      block.frozen = block.owner() < kFirstTrainedLayer;
    }
    job.shape.table = std::move(table);
    job.submitted.base_key = base_key;
    SetPrepared(job);
    v1::Partition partition;
    partition.add_cut_points(kFirstTrainedLayer);
    start_.SetPartition(job, partition, /*limit_bytes=*/0);
    RestorePhase(job, v1::JOB_PHASE_ADMISSION);
    return job;
  }
  Kind Admit(Job& job) { return start_.FromAdmission(job, now_).kind; }
  // Runs the INITs of an admitted job.
  void Fill(Job& job) {
    RestoreState(job, v1::JOB_STATE_RUNNING, "");
    while (job.position.phase == ChainPosition::Phase::kInit) {
      ASSERT_TRUE(HandOut(job));
      hands_.Commit(job);
      job.position = Next(job.shape, job.plan, job.position);
    }
    bases_.Filled(job);
  }
  void Leave(Job& job) {
    bases_.Leave(job);
    blocks_.EndAll(job.id);
    admission_.Release(job.id);
  }
  VersionId VersionAt(const Job& job, int block) {
    return blocks_.Find(job.id, ParametersKey(block))->id;
  }
};

TEST_F(SharedBasesTest, TheFirstJobFillsTheBaseAndTheOthersWaitForIt) {
  Job& first = AddCut(1);
  Job& second = AddCut(2);
  EXPECT_EQ(Admit(first), Kind::kGoesOn);
  EXPECT_EQ(Admit(second), Kind::kWaits);
  EXPECT_EQ(second.reason, "waits for j1, which loads the same base model");
  EXPECT_EQ(queue_.TakeAwake(), std::nullopt);
  Fill(first);
  EXPECT_EQ(queue_.TakeAwake(), second.id);
  EXPECT_EQ(Admit(second), Kind::kGoesOn);
  EXPECT_THAT(bases_.JobsWithBaseOf(first), ElementsAre(first.id, second.id));
}

TEST_F(SharedBasesTest, FrozenBlocksAreThereOnceForAll) {
  Job& first = AddCut(1);
  Job& second = AddCut(2);
  Admit(first);
  Fill(first);
  const int64_t before = blocks_.used_bytes();
  const int64_t reserved = admission_.reserved_bytes();
  Admit(second);
  EXPECT_EQ(blocks_.used_bytes(), before) << "it takes what is there";
  EXPECT_EQ(admission_.reserved_bytes() - reserved,
            second.demand->total_bytes() - second.demand->base_bytes() +
                second.demand->largest_write_bytes())
      << "its own demand, and one more writer ahead";
  // Layers 0 and 1: there is nothing left to fill.
  EXPECT_THAT(NextTask(second, blocks_).writes, IsEmpty());
  Fill(second);
  const auto& table = *first.shape.table;
  for (int i = 0; i < table.parameter_blocks.size(); ++i) {
    EXPECT_EQ(VersionAt(first, i) == VersionAt(second, i),
              table.parameter_blocks[i].frozen);
  }
  CheckSlots();
}

TEST_F(SharedBasesTest, ABaseStaysForTheLastOfItsJobs) {
  Job& first = AddCut(1);
  Job& second = AddCut(2);
  Admit(first);
  Fill(first);
  Admit(second);
  Leave(first);
  CheckSlots();
  EXPECT_NE(blocks_.Find(second.id, ParametersKey(0)), nullptr);
  Job& third = AddCut(3);
  EXPECT_EQ(Admit(third), Kind::kGoesOn);
  EXPECT_EQ(VersionAt(third, 0), VersionAt(second, 0));
  Leave(second);
  Leave(third);
  EXPECT_EQ(blocks_.used_bytes(), 0);
  EXPECT_EQ(admission_.reserved_bytes(), 0);
  EXPECT_THAT(bases_.JobsWithBaseOf(first), IsEmpty());
}

TEST_F(SharedBasesTest, WhoLeavesWithoutHavingFilledItHandsThatOn) {
  Job& first = AddCut(1);
  Job& second = AddCut(2);
  Job& third = AddCut(3);
  Admit(first);
  Admit(second);
  Admit(third);
  Leave(first);
  EXPECT_EQ(queue_.TakeAwake(), second.id);
  EXPECT_EQ(Admit(second), Kind::kGoesOn);
  EXPECT_EQ(queue_.TakeAwake(), third.id);
  EXPECT_EQ(Admit(third), Kind::kWaits);
  EXPECT_EQ(third.reason, "waits for j2, which loads the same base model");
  Fill(second);
  EXPECT_EQ(Admit(third), Kind::kGoesOn);
}

TEST_F(SharedBasesTest, OtherBasesAreNobodysBusiness) {
  Job& first = AddCut(1);
  Job& second = AddCut(2, "another base");
  Job& third = AddCut(3, /*base_key=*/"");
  EXPECT_EQ(Admit(first), Kind::kGoesOn);
  EXPECT_EQ(Admit(second), Kind::kGoesOn);
  EXPECT_EQ(Admit(third), Kind::kGoesOn);
  Fill(first);
  Fill(second);
  Fill(third);
  EXPECT_NE(VersionAt(first, 0), VersionAt(second, 0));
  EXPECT_NE(VersionAt(first, 0), VersionAt(third, 0));
  EXPECT_THAT(bases_.JobsWithBaseOf(third), IsEmpty());
}

TEST_F(SharedBasesTest, AnEarlierDaemonsJobGoesOnFilling) {
  Job& first = AddCut(1);
  Admit(first);
  Fill(first);
  Job& second = AddCut(2);
  Admit(second);
  // As a daemon finds them that was started anew: one of them half filled.
  SharedBases anew({&queue_, &blocks_, &journal_});
  blocks_.End(first.id, ParametersKey(0));
  anew.Restore(first);
  Job& third = AddCut(3);
  EXPECT_TRUE(anew.Waits(third));
  anew.Filled(first);
  EXPECT_FALSE(anew.Waits(third));
}

}  // namespace
}  // namespace hydra
