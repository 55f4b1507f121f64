#include "scheduler/core/job_life.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/protocol/task_format.h"
#include "scheduler/core/core_parts.h"
#include "scheduler/core/job_move.h"
#include "scheduler/core/job_stand.h"
#include "scheduler/core/testing/small_job.h"
#include "scheduler/policy/sharded_lrtf.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;

// One job and one device, without a worker's process: the test says what
// becomes of tasks.
class OneJob {
 public:
  OneJob() : parts_(Options(), &policy_, &journal_) {
    NewJob job = SmallJob(/*steps=*/2);
    job.spec.mutable_partition()->add_cut_points(2);
    job.spec.mutable_checkpoint()->set_every_steps(0);
    const Submission submission = parts_.intake.Take({job}, {}, now_);
    for (Intake::Sweep& sweep : parts_.intake.Recorded(submission.sequence)) {
      parts_.book.Add(sweep.id, std::move(sweep.jobs));
    }
    parts_.life.Advance(this->job(), now_);
  }

  Job& job() { return parts_.book.At(JobId(1)); }
  JobLife& life() { return parts_.life; }
  absl::Time now() const { return now_; }

  // The device takes what it can get.
  void HandOut() {
    parts_.roster.At(WorkerId(1)).state = v1::WORKER_STATE_READY;
    parts_.roster.At(WorkerId(1)).task_format = kTaskFormat;
    parts_.dispatcher.Run(now_);
  }
  // Finishes the first task that is out.
  void FinishOne() {
    const OutstandingTask& task = job().outstanding.front();
    wv1::TaskReport report;
    report.set_task_id(task.id.value());
    if (task.task.kind == wv1::TASK_KIND_PREPARE) {
      for (wv1::Split split : {wv1::SPLIT_TRAIN, wv1::SPLIT_VALIDATION}) {
        auto* prepared = report.mutable_prepare()->add_splits();
        prepared->set_split(split);
        prepared->set_token_count(1000);
      }
    } else {
      report.mutable_pass()->set_loss_sum(1);
      report.mutable_pass()->set_loss_tokens(1);
    }
    const absl::Status taken =
        parts_.results.Take(parts_.roster.At(WorkerId(1)), report, now_);
    EXPECT_TRUE(taken.ok()) << taken;
  }
  // Its worker has died.
  void LoseAll() {
    parts_.hands.Abandon(job(), 0);
    life().OutstandingChanged(job(), now_);
  }
  // Goes on until `there`, or the end.
  void RunUntil(const std::function<bool()>& there) {
    while (!there() && !job().ended()) {
      HandOut();
      if (job().outstanding.empty()) return;
      if (!there()) FinishOne();
    }
  }
  void RunToTraining() {
    RunUntil([&] {
      return job().phase() == v1::JOB_PHASE_TRAIN &&
             !job().outstanding.empty() && job().position.inside_step();
    });
  }

 private:
  static CoreOptions Options() {
    CoreOptions options;
    options.pool_bytes = int64_t{64} << 20;
    options.devices.push_back({"cpu:0", 1 << 20, 1, "none"});
    return options;
  }

  absl::Time now_ = absl::FromUnixSeconds(1000);
  ShardedLrtf policy_;
  Journal journal_;
  CoreParts parts_;
};

// A job of each kind.
void Bring(OneJob& one, Stand stand) {
  switch (stand) {
    case Stand::kWaits:
      break;
    case Stand::kRuns:
      one.RunToTraining();
      break;
    case Stand::kPauses:
      one.RunToTraining();
      one.life().Pause(one.job(), one.now());
      break;
    case Stand::kGoesBack:
      one.RunToTraining();
      one.job().Hear(IntentEvent::kCutAnew);
      break;
    case Stand::kSaves:
      one.RunUntil([&] { return one.job().phase() == v1::JOB_PHASE_SAVE; });
      break;
    case Stand::kPaused:
      one.life().Pause(one.job(), one.now());
      break;
    case Stand::kEnds:
      one.RunToTraining();
      one.life().Cancel(one.job(), /*delete_checkpoints=*/false, one.now());
      break;
    case Stand::kEnded:
      one.life().Cancel(one.job(), /*delete_checkpoints=*/false, one.now());
      break;
  }
  ASSERT_EQ(StandOf(one.job()), stand);
}

enum Event {
  kCancel,
  kPause,
  kResume,
  kDone,
  kLost,
  kSaved,
  kFull,
  kNotSaved,
  kTaken,
  kHeld,
  kBroken,
};
constexpr int kEvents = 11;

void Happen(OneJob& one, Event event) {
  Job& job = one.job();
  switch (event) {
    case kCancel:
      one.life().Cancel(job, /*delete_checkpoints=*/false, one.now());
      break;
    case kPause:
      one.life().Pause(job, one.now());
      break;
    case kResume:
      one.life().Resume(job, one.now());
      break;
    case kDone:
      one.FinishOne();
      break;
    case kLost:
      one.LoseAll();
      break;
    case kSaved:
      one.life().ModelSaved(job, absl::OkStatus(), one.now());
      break;
    case kFull:
      one.life().ModelSaved(job, absl::ResourceExhaustedError("disk full"),
                            one.now());
      break;
    case kNotSaved:
      one.life().CheckpointFailed(job, absl::UnknownError("bad disk"));
      break;
    case kTaken:
      one.HandOut();
      break;
    case kHeld:
      job.Hear(IntentEvent::kHoldBack);
      if (job.outstanding.empty()) one.life().Advance(job, one.now());
      while (!job.outstanding.empty()) one.LoseAll();
      break;
    case kBroken:
      if (job.phase() == v1::JOB_PHASE_SAVE) {
        one.life().ModelSaved(job, absl::UnknownError("bad disk"), one.now());
      } else {
        one.life().End(job, v1::JOB_STATE_FAILED, "bad task", one.now());
      }
      break;
  }
}

struct Row {
  Stand from;
  // By event; none: it cannot happen to such a job.
  std::optional<Stand> to[kEvents];
};

// Who goes back is saved first, but not behind the TURN of a step, which can
// only go on in its partition: here that is the task which is done.
//
// clang-format off
constexpr std::nullopt_t kNever = std::nullopt;
constexpr Stand W = Stand::kWaits, R = Stand::kRuns, P = Stand::kPauses,
                B = Stand::kGoesBack, S = Stand::kSaves, D = Stand::kPaused,
                N = Stand::kEnds, E = Stand::kEnded;
const Row kRows[] = {
    //    cancel pause resume done   lost    saved   full    not saved taken held    broken
    {W, {E,      D,    W,     kNever, kNever, kNever, kNever, kNever,  R,     D,      E}},
    {R, {N,      P,    R,     R,      R,      kNever, kNever, R,       R,     D,      N}},
    {P, {N,      P,    R,     P,      P,      kNever, kNever, R,       P,     D,      N}},
    {B, {N,      B,    B,     W,      B,      kNever, kNever, B,       B,     kNever, N}},
    {S, {N,      S,    S,     kNever, kNever, E,      S,      S,       S,     kNever, E}},
    {D, {E,      D,    W,     kNever, kNever, kNever, kNever, kNever,  D,     D,      kNever}},
    {N, {N,      N,    N,     E,      E,      kNever, kNever, N,       N,     kNever, kNever}},
    {E, {E,      E,    E,     kNever, kNever, E,      E,      E,       E,     kNever, kNever}},
};
// clang-format on

TEST(JobLifeTest, AJobThatGivesItsRoomWaitsForRoomAgainByItself) {
  OneJob one;
  EXPECT_TRUE(one.life().YieldRoom(one.job(), one.now()));
  EXPECT_EQ(StandOf(one.job()), Stand::kWaits);
  EXPECT_FALSE(one.job().yields);
}

TEST(JobLifeTest, WhileAJobGivesItsRoomItsUsersWordCounts) {
  OneJob gives;
  gives.RunToTraining();
  EXPECT_TRUE(gives.life().YieldRoom(gives.job(), gives.now()));
  EXPECT_EQ(StandOf(gives.job()), Stand::kPauses);
  EXPECT_TRUE(gives.job().yields);
  OneJob by_user;
  by_user.RunToTraining();
  EXPECT_TRUE(by_user.life().YieldRoom(by_user.job(), by_user.now()));
  EXPECT_TRUE(by_user.life().Pause(by_user.job(), by_user.now()));
  EXPECT_FALSE(by_user.job().yields) << "it is to stay paused";
  EXPECT_EQ(StandOf(by_user.job()), Stand::kPauses);
  EXPECT_FALSE(by_user.life().Pause(by_user.job(), by_user.now()));
  OneJob resumed;
  resumed.RunToTraining();
  EXPECT_TRUE(resumed.life().YieldRoom(resumed.job(), resumed.now()));
  EXPECT_TRUE(resumed.life().Resume(resumed.job(), resumed.now()));
  EXPECT_FALSE(resumed.job().yields);
  EXPECT_EQ(StandOf(resumed.job()), Stand::kRuns);
  OneJob unsaved;
  unsaved.RunToTraining();
  EXPECT_TRUE(unsaved.life().YieldRoom(unsaved.job(), unsaved.now()));
  unsaved.life().CheckpointFailed(unsaved.job(),
                                  absl::UnknownError("bad disk"));
  EXPECT_FALSE(unsaved.job().yields);
  EXPECT_EQ(StandOf(unsaved.job()), Stand::kRuns);
}

TEST(JobLifeTest, AJobThatGaveItsRoomAndEndsMeanwhileIsNotPaused) {
  OneJob one;
  one.RunToTraining();
  EXPECT_TRUE(one.life().YieldRoom(one.job(), one.now()));
  EXPECT_TRUE(
      one.life().Cancel(one.job(), /*delete_checkpoints=*/false, one.now()));
  EXPECT_FALSE(one.life().Pause(one.job(), one.now()));
  EXPECT_EQ(one.job().reason, "cancelled");
}

// As a daemon finds it that does not find its checkpoint.
TEST(JobLifeTest, AJobThatWasHeldWhileItGaveItsRoomCanBePausedLater) {
  OneJob one;
  EXPECT_TRUE(one.life().Pause(one.job(), one.now()));
  one.job().yields = true;
  EXPECT_TRUE(one.life().Resume(one.job(), one.now()));
  EXPECT_FALSE(one.job().yields);
  one.job().yields = true;
  EXPECT_TRUE(one.life().Pause(one.job(), one.now()));
  EXPECT_EQ(StandOf(one.job()), Stand::kPaused) << "and stays so";
}

using StateMoves = std::set<std::pair<v1::JobState, v1::JobState>>;

// From a state to another one, as the product's table allows them in any phase.
StateMoves AllowedMoves() {
  StateMoves allowed;
  for (int from = v1::JOB_STATE_PENDING; from < v1::JobState_ARRAYSIZE;
       ++from) {
    for (int to = v1::JOB_STATE_PENDING; to < v1::JobState_ARRAYSIZE; ++to) {
      for (int phase = v1::JOB_PHASE_PREPARE; phase < v1::JobPhase_ARRAYSIZE;
           ++phase) {
        if (from != to && MayMove(static_cast<v1::JobState>(from),
                                  static_cast<v1::JobState>(to),
                                  static_cast<v1::JobPhase>(phase))) {
          allowed.insert(
              {static_cast<v1::JobState>(from), static_cast<v1::JobState>(to)});
        }
      }
    }
  }
  return allowed;
}

TEST(JobLifeTest, EveryEventLeadsFromEveryStandToAnAllowedOne) {
  StateMoves made;
  for (const Row& row : kRows) {
    for (int event = 0; event < kEvents; ++event) {
      if (!row.to[event].has_value()) continue;
      SCOPED_TRACE(absl::StrCat("stand ", static_cast<int>(row.from),
                                ", event ", event));
      OneJob one;
      Bring(one, row.from);
      const v1::JobState from = one.job().state();
      Happen(one, static_cast<Event>(event));
      EXPECT_EQ(StandOf(one.job()), row.to[event]);
      if (one.job().state() != from) made.insert({from, one.job().state()});
    }
  }
  // A job that is saved may be PENDING, too; no event of these makes it so.
  made.insert({v1::JOB_STATE_PENDING, v1::JOB_STATE_COMPLETED});
  EXPECT_EQ(made, AllowedMoves());
}

TEST(JobLifeTest, AJobThatPausesInAStepEndsTheStepFirst) {
  OneJob one;
  Bring(one, Stand::kPauses);
  const int64_t step = one.job().position.step;
  one.RunUntil([&] { return one.job().writing.has_value(); });
  EXPECT_FALSE(one.job().position.inside_step());
  EXPECT_EQ(one.job().position.step, step + 1);
}

TEST(JobLifeTest, WhoIsResumedAfterAHoldInsists) {
  OneJob one;
  Bring(one, Stand::kPaused);
  one.job().Hear(IntentEvent::kHoldBack);
  one.life().Resume(one.job(), one.now());
  EXPECT_TRUE(one.job().insists);
  one.life().Pause(one.job(), one.now());
  one.life().Resume(one.job(), one.now());
  EXPECT_FALSE(one.job().insists);
}

TEST(JobLifeTest, AModelThatFindsNoRoomIsWrittenAgainLater) {
  OneJob one;
  Bring(one, Stand::kSaves);
  Happen(one, kFull);
  EXPECT_TRUE(one.life().WaitsForDisk(JobId(1)));
  one.life().Tick(one.now() + absl::Hours(1));
  EXPECT_FALSE(one.life().WaitsForDisk(JobId(1)));
  Happen(one, kSaved);
  EXPECT_EQ(one.job().state(), v1::JOB_STATE_COMPLETED);
}

}  // namespace
}  // namespace hydra
