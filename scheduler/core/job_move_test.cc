#include "scheduler/core/job_move.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "scheduler/core/job_stand.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

const std::vector<v1::JobState> kStates = {
    v1::JOB_STATE_PENDING,   v1::JOB_STATE_RUNNING, v1::JOB_STATE_PAUSED,
    v1::JOB_STATE_COMPLETED, v1::JOB_STATE_FAILED,  v1::JOB_STATE_CANCELLED};
const std::vector<v1::JobPhase> kPhases = {
    v1::JOB_PHASE_PREPARE, v1::JOB_PHASE_PILOT, v1::JOB_PHASE_ADMISSION,
    v1::JOB_PHASE_INIT,    v1::JOB_PHASE_TRAIN, v1::JOB_PHASE_EVALUATE,
    v1::JOB_PHASE_SAVE,    v1::JOB_PHASE_ENDED};

Job JobAt(v1::JobState state, v1::JobPhase phase) {
  Job job;
  job.id = JobId(7);
  RestoreState(job, state, "before");
  RestorePhase(job, phase);
  return job;
}

// Whether a job can be there without tasks that are out.
bool CanBe(v1::JobState state, v1::JobPhase phase) {
  Job job = JobAt(state, phase);
  for (Intent intent : {Intent::kGoOn, Intent::kPause, Intent::kHold}) {
    job.intent = intent;
    if (StandOf(job).has_value()) return true;
  }
  return false;
}

// Whether it moves in some phase.
bool EverMoves(v1::JobState from, v1::JobState to) {
  for (v1::JobPhase phase : kPhases) {
    if (MayMove(from, to, phase)) return true;
  }
  return false;
}

TEST(JobMoveTest, TheStatesThatEachMayMoveTo) {
  std::string table;
  for (v1::JobState from : kStates) {
    absl::StrAppend(&table, v1::JobState_Name(from).substr(10), ":");
    for (v1::JobState to : kStates) {
      if (!EverMoves(from, to)) continue;
      absl::StrAppend(&table, " ", v1::JobState_Name(to).substr(10));
    }
    absl::StrAppend(&table, "\n");
  }
  EXPECT_EQ(table,
            "PENDING: PENDING RUNNING PAUSED COMPLETED FAILED CANCELLED\n"
            "RUNNING: PENDING PAUSED COMPLETED FAILED CANCELLED\n"
            "PAUSED: PENDING PAUSED CANCELLED\n"
            "COMPLETED:\nFAILED:\nCANCELLED:\n");
}

TEST(JobMoveTest, LegalMovesAreMadeAndOthersDie) {
  for (v1::JobState from : kStates) {
    for (v1::JobState to : kStates) {
      for (v1::JobPhase phase : kPhases) {
        SCOPED_TRACE(absl::StrCat(v1::JobState_Name(from), " to ",
                                  v1::JobState_Name(to), " in ",
                                  v1::JobPhase_Name(phase)));
        Job job = JobAt(from, phase);
        if (!MayMove(from, to, phase)) {
          // Once is enough, and a death takes its time.
          if (phase != v1::JOB_PHASE_PREPARE) continue;
          EXPECT_DEATH(Move(job, to, "after"), "j7 may not go from JOB_STATE_");
          continue;
        }
        EXPECT_TRUE(CanBe(from, phase));
        Move(job, to, "after");
        EXPECT_EQ(job.state(), to);
        EXPECT_EQ(job.reason, "after");
        EXPECT_EQ(job.phase(), phase);
      }
    }
  }
}

TEST(JobMoveTest, LegalMovesOfPhasesAreMadeAndOthersDie) {
  for (v1::JobPhase from : kPhases) {
    for (v1::JobPhase to : kPhases) {
      SCOPED_TRACE(
          absl::StrCat(v1::JobPhase_Name(from), " to ", v1::JobPhase_Name(to)));
      Job job = JobAt(v1::JOB_STATE_RUNNING, from);
      if (!MayMove(from, to)) {
        EXPECT_DEATH(MoveTo(job, to), "j7 may not go from JOB_PHASE_");
        continue;
      }
      MoveTo(job, to);
      EXPECT_EQ(job.phase(), to);
      EXPECT_EQ(job.state(), v1::JOB_STATE_RUNNING);
      EXPECT_EQ(job.reason, "before");
    }
  }
}

TEST(JobMoveTest, AJobCompletesOnlyFromItsChainAndPausesOnlyBeforeItIsSaved) {
  for (v1::JobPhase phase : kPhases) {
    SCOPED_TRACE(v1::JobPhase_Name(phase));
    const bool in_chain =
        phase >= v1::JOB_PHASE_INIT && phase <= v1::JOB_PHASE_EVALUATE;
    const bool saves = phase == v1::JOB_PHASE_SAVE;
    const bool before = phase < v1::JOB_PHASE_SAVE;
    EXPECT_EQ(MayMove(v1::JOB_STATE_RUNNING, v1::JOB_STATE_COMPLETED, phase),
              in_chain || saves);
    EXPECT_EQ(MayMove(v1::JOB_STATE_RUNNING, v1::JOB_STATE_PAUSED, phase),
              before);
    EXPECT_EQ(MayMove(phase, v1::JOB_PHASE_PREPARE), before);
    EXPECT_EQ(MayMove(phase, v1::JOB_PHASE_SAVE), in_chain || saves);
    EXPECT_EQ(MayMove(phase, v1::JOB_PHASE_ENDED), before || saves);
  }
}

// Where the data are ready, the cuts known, and room in the pool found.
TEST(JobMoveTest, OneWayLeadsToTheChain) {
  for (v1::JobPhase from : kPhases) {
    SCOPED_TRACE(v1::JobPhase_Name(from));
    EXPECT_EQ(MayMove(from, v1::JOB_PHASE_PILOT),
              from == v1::JOB_PHASE_PREPARE);
    EXPECT_EQ(MayMove(from, v1::JOB_PHASE_ADMISSION),
              from == v1::JOB_PHASE_PILOT);
    EXPECT_EQ(MayMove(from, v1::JOB_PHASE_INIT),
              from == v1::JOB_PHASE_ADMISSION || from == v1::JOB_PHASE_INIT);
    EXPECT_EQ(MayMove(from, v1::JOB_PHASE_TRAIN),
              from >= v1::JOB_PHASE_INIT && from <= v1::JOB_PHASE_EVALUATE);
  }
}

}  // namespace
}  // namespace hydra
