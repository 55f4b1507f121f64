#include "scheduler/core/task_results.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/chain/task_chain.h"
#include "common/status/proto_time.h"
#include "scheduler/core/records.h"
#include "scheduler/core/testing/results_fixture.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// What the first of two workers reports of a job that is in its third step,
// before FORWARD, TURN and BACKWARD.
class TaskResultsTest : public ResultsFixture {
 protected:
  static wv1::TaskReport Report(TaskId task) {
    wv1::TaskReport report;
    report.set_task_id(task.value());
    *report.mutable_cost()->mutable_wall() = ToProto(absl::Seconds(2));
    report.mutable_cost()->set_promoted_bytes(4096);
    return report;
  }
  static wv1::TaskReport Done(TaskId task, double loss_sum = 0,
                              int64_t loss_tokens = 0) {
    wv1::TaskReport report = Report(task);
    report.mutable_pass()->set_loss_sum(loss_sum);
    report.mutable_pass()->set_loss_tokens(loss_tokens);
    return report;
  }
  static wv1::TaskReport Failed(TaskId task, absl::StatusCode code) {
    wv1::TaskReport report = Report(task);
    report.mutable_error()->set_code(static_cast<int>(code));
    report.mutable_error()->set_message("it broke");
    report.mutable_error()->set_layer(2);
    return report;
  }
  absl::Status Take(const wv1::TaskReport& report) {
    return results_.Take(At(1), report, now_);
  }
  // In the worker's hand.
  Job& AddWithTasks(int tasks) {
    Job& job = AddAt(1, InStep(3));
    for (int i = 0; i < tasks; ++i) EXPECT_TRUE(HandOut(job));
    return job;
  }
};

// --- Done ---

TEST_F(TaskResultsTest, ACommittedPassMovesItsJobOnAndIsCounted) {
  Job& job = AddWithTasks(2);
  const std::vector<TaskId> tasks = {job.outstanding[0].id,
                                     job.outstanding[1].id};
  ASSERT_TRUE(Take(Done(tasks[0])).ok());
  EXPECT_EQ(job.position.step, 3);
  EXPECT_EQ(job.position.task, 1);
  EXPECT_NE(blocks_.Find(job.id, ActivationKey(2, 0)), nullptr);
  EXPECT_THAT(At(1).hand, SizeIs(1));
  // Its next task is out.
  EXPECT_FALSE(queue_.Contains(job.id));
  EXPECT_TRUE(job.steps.empty());

  ASSERT_TRUE(Take(Done(tasks[1], /*loss_sum=*/6, /*loss_tokens=*/4)).ok());
  EXPECT_EQ(job.position.task, 2);
  ASSERT_EQ(job.steps.size(), 1);
  EXPECT_EQ(job.steps.back().step(), 3);
  EXPECT_EQ(job.steps.back().train_loss(), 1.5);
  EXPECT_TRUE(hands_.all_empty());
  EXPECT_TRUE(queue_.Contains(job.id));
  EXPECT_EQ(job.state(), v1::JOB_STATE_RUNNING);

  EXPECT_EQ(job.totals.tasks(), 2);
  EXPECT_EQ(job.totals.promoted_bytes(), 8192);
  EXPECT_EQ(At(1).finished_tasks, 2);
  CheckSlots();
}

TEST_F(TaskResultsTest, WhatADeviceDidCountsToTheAccountWhateverCameOfIt) {
  Job& job = AddWithTasks(2);
  const std::vector<TaskId> tasks = {job.outstanding[0].id,
                                     job.outstanding[1].id};
  const auto used = [&] {
    return absl::ToDoubleSeconds(
        shares_.ledger().LeadOf(AccountOf(job), Account{7}));
  };
  const double promised = used();
  EXPECT_GT(promised, 0);
  ASSERT_TRUE(Take(Done(tasks[0])).ok());
  EXPECT_GT(used(), 2);
  EXPECT_LT(used(), 2 + promised);
  ASSERT_TRUE(Take(Failed(tasks[1], absl::StatusCode::kUnavailable)).ok());
  EXPECT_NEAR(used(), 4, 1e-6);
}

TEST_F(TaskResultsTest, TheNormOfGradientsThatWereClippedIsItsStepsOnce) {
  Job& job = AddSmallJob(1, book_);
  job.shape.clips_gradients = true;
  PutIntoChain(InStep(3), job, blocks_);
  double loss = 6;
  while (job.position.step == 3) {
    ASSERT_TRUE(HandOut(job));
    const OutstandingTask& task = job.outstanding.front();
    wv1::TaskReport done = Done(task.id, loss, /*loss_tokens=*/4);
    if (task.task.kind == wv1::TASK_KIND_UPDATE) {
      done.mutable_pass()->set_grad_norm(2.5 + task.task.shard);
    } else {
      EXPECT_TRUE(job.steps.empty() || !job.steps.back().has_grad_norm());
    }
    ASSERT_TRUE(Take(done).ok());
  }
  ASSERT_EQ(job.steps.size(), 1);
  EXPECT_EQ(job.steps.back().grad_norm(), 2.5);
  EXPECT_EQ(job.steps.back().train_loss(), 1.5);
  CheckSlots();
}

// With a scaled loss, and steps of which some overflow.
class ScaledLossTest : public TaskResultsTest {
 protected:
  ScaledLossTest() : job_(AddSmallJob(1, book_)) {
    v1::TrainSpec& train = *job_.submitted.spec.mutable_train();
    train.set_fp16(true);
    train.set_loss_scale(4);
    train.set_loss_scale_growth_interval(2);
    job_.submitted.spec.mutable_evaluation()->set_eval_steps(0);
    job_.submitted.spec.mutable_checkpoint()->set_every_steps(0);
    job_.shape.scales_loss = true;
    PutIntoChain(InStep(3), job_, blocks_);
  }

  // All tasks of a step. Returns the scale that its TURN had.
  double Step(bool overflows) {
    const int64_t step = job_.position.step;
    double scale = 0;
    while (job_.position.step == step && !job_.ended()) {
      if (!HandOut(job_)) {
        ADD_FAILURE() << "no task of step " << step << " is handed out";
        return 0;
      }
      const OutstandingTask& task = job_.outstanding.front();
      wv1::TaskReport done = Done(task.id, /*loss_sum=*/6, /*loss_tokens=*/4);
      const bool is_update = task.task.kind == wv1::TASK_KIND_UPDATE;
      const bool has_scale = is_update || task.task.kind == wv1::TASK_KIND_TURN;
      EXPECT_EQ(task.wire.loss_scale() > 0, has_scale);
      if (has_scale) scale = task.wire.loss_scale();
      if (is_update) {
        EXPECT_EQ(task.wire.skipped_steps(), skipped_);
        done.mutable_pass()->set_grad_norm(
            overflows ? std::numeric_limits<double>::quiet_NaN() : 2.5);
        if (overflows) done.mutable_pass()->add_skipped_blocks(0);
      }
      EXPECT_TRUE(Take(done).ok());
    }
    if (overflows) ++skipped_;
    return scale;
  }

  Job& job_;
  int64_t skipped_ = 0;
};

TEST_F(ScaledLossTest, AnOverflowHalvesTheScaleAndIsNoFailure) {
  EXPECT_EQ(Step(/*overflows=*/true), 4);
  ASSERT_FALSE(job_.ended()) << job_.reason;
  EXPECT_TRUE(job_.steps.back().overflowed());
  EXPECT_EQ(job_.steps.back().loss_scale(), 4);
  EXPECT_EQ(job_.steps.back().train_loss(), 1.5);
  EXPECT_FALSE(job_.steps.back().has_grad_norm());
  EXPECT_GT(job_.steps.back().skipped_blocks(), 0);
  EXPECT_EQ(job_.totals.nonfinite_steps(), 1);
  EXPECT_EQ(job_.nonfinite_in_a_row, 0);

  EXPECT_EQ(Step(/*overflows=*/false), 2);
  EXPECT_FALSE(job_.steps.back().overflowed());
  EXPECT_EQ(job_.steps.back().grad_norm(), 2.5);
  EXPECT_EQ(Step(/*overflows=*/false), 2);
  EXPECT_EQ(Step(/*overflows=*/false), 4);
  EXPECT_EQ(job_.totals.nonfinite_steps(), 1);
  CheckSlots();
}

TEST_F(ScaledLossTest, AnOverflowWithTheLeastScaleCountsAsAnyOther) {
  job_.submitted.spec.mutable_train()->set_max_nonfinite_steps(1);
  EXPECT_EQ(Step(/*overflows=*/true), 4);
  EXPECT_EQ(Step(/*overflows=*/true), 2);
  EXPECT_EQ(job_.nonfinite_in_a_row, 0);
  EXPECT_EQ(Step(/*overflows=*/true), 1);
  ASSERT_FALSE(job_.ended()) << job_.reason;
  EXPECT_EQ(job_.nonfinite_in_a_row, 1);
  EXPECT_EQ(Step(/*overflows=*/true), 1);
  EXPECT_EQ(job_.state(), v1::JOB_STATE_FAILED);
  EXPECT_THAT(job_.reason, HasSubstr("step number 2 in a row"));
  EXPECT_THAT(job_.reason, HasSubstr("the loss scale was 1 and is 1"));
}

TEST_F(ScaledLossTest, ItIsRecordedAndReadBack) {
  Step(/*overflows=*/true);
  Step(/*overflows=*/false);
  const journal::v1::PoolJob record = PoolJobOf(job_);
  Job& other = AddSmallJob(2, book_);
  SetPoolJob(record, other);
  EXPECT_EQ(other.loss_scale.SerializeAsString(),
            job_.loss_scale.SerializeAsString());
  EXPECT_EQ(other.loss_scale.scale(), 2);
  EXPECT_EQ(other.loss_scale.good_steps(), 1);
  EXPECT_EQ(other.loss_scale.skipped_steps(), 1);

  checkpoint::v1::Manifest manifest;
  *manifest.mutable_loss_scale() = job_.loss_scale;
  EXPECT_EQ(ToRecord(manifest).loss_scale().SerializeAsString(),
            job_.loss_scale.SerializeAsString());
}

// What a TURN multiplies with is known when the step before is done; its
// FORWARDs may go ahead.
TEST_F(ScaledLossTest, NoTurnGoesAheadOfTheStepThatItsScaleFollowsFrom) {
  ChainPosition last_update = InStep(3);
  last_update.task = TasksPerStep(job_.shape) - 1;
  OutstandingTask& update = job_.outstanding.emplace_back();
  update.position = last_update;
  ChainPosition forward = InStep(4);
  EXPECT_TRUE(job_.MayGoOn(forward));
  ChainPosition turn = forward;
  turn.task = FirstTurn(job_.shape);
  EXPECT_FALSE(job_.MayGoOn(turn));
  // Whatever is out before that step.
  OutstandingTask evaluation;
  evaluation.position = ChainPosition{ChainPosition::Phase::kEvaluate, 3, 0};
  job_.outstanding.insert(job_.outstanding.begin(), evaluation);
  EXPECT_FALSE(job_.MayGoOn(turn));
  job_.outstanding.erase(job_.outstanding.begin());
  job_.shape.scales_loss = false;
  EXPECT_TRUE(job_.MayGoOn(turn));
  job_.shape.scales_loss = true;
  // Its own FORWARD.
  job_.outstanding.back().position = forward;
  EXPECT_TRUE(job_.MayGoOn(turn));
  job_.outstanding.clear();
  EXPECT_TRUE(job_.MayGoOn(turn));
}

// The sums of micro-batches are added one after another, as one round adds
// them: (0.1 + 0.2) + 0.3 is another double than 0.1 + (0.2 + 0.3).
TEST_F(TaskResultsTest, AStepsLossIsThatOfAllItsRoundsInOrder) {
  Job& job = AddSmallJob(1, book_);
  job.shape.rounds = 2;
  PutIntoChain(InStep(3), job, blocks_);
  std::vector<std::vector<double>> losses = {{0.1}, {0.2, 0.3}};
  int turns = 0;
  while (job.position.step == 3) {
    ASSERT_TRUE(HandOut(job));
    const OutstandingTask& task = job.outstanding.front();
    wv1::TaskReport done = Done(task.id);
    if (task.task.kind == wv1::TASK_KIND_TURN) {
      EXPECT_TRUE(job.steps.empty()) << "the last one tells";
      for (double loss : losses[turns++]) {
        done.mutable_pass()->add_batch_loss_sums(loss);
      }
      done.mutable_pass()->set_loss_tokens(2);
    }
    ASSERT_TRUE(Take(done).ok());
    CheckSlots();
  }
  EXPECT_EQ(turns, 2);
  ASSERT_EQ(job.steps.size(), 1);
  EXPECT_EQ(job.steps.back().train_loss(), (0.1 + 0.2 + 0.3) / 4);
}

TEST_F(TaskResultsTest, AJobsRateIsOfTheTimeOfItsTasksAlone) {
  Job& job = AddWithTasks(3);
  job.training_since = now_;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(job.tokens_per_second, 0);
    // It waits for others in between.
    ASSERT_TRUE(results_
                    .Take(At(1), Done(job.outstanding[0].id, 6, 4),
                          now_ + (i + 1) * absl::Minutes(10))
                    .ok());
  }
  ASSERT_EQ(job.steps.size(), 1);
  EXPECT_EQ(FromProto(job.steps.back().device()), absl::Seconds(6));
  EXPECT_EQ(job.tokens_per_second, job.StepTokens() / 6.0);
  const v1::JobStatus status = StatusOf(job);
  EXPECT_EQ(status.tokens_per_second(), job.tokens_per_second);
  EXPECT_LT(status.overall_tokens_per_second(), job.tokens_per_second / 100);
  EXPECT_FALSE(status.counts_examples());
  const auto counts_examples = [&job](v1::DataFormat format) {
    job.submitted.spec.mutable_data()->set_format(format);
    return StatusOf(job).counts_examples();
  };
  EXPECT_TRUE(counts_examples(v1::DATA_FORMAT_TENSORS));
  EXPECT_TRUE(counts_examples(v1::DATA_FORMAT_IMAGES));
  EXPECT_FALSE(counts_examples(v1::DATA_FORMAT_LABELED));
}

TEST_F(TaskResultsTest, WhatBecameOfEachBegunTaskIsTraced) {
  Job& job = AddWithTasks(3);
  At(1).device_free_at = now_ - absl::Seconds(4);
  const absl::Time begun = now_ + absl::Seconds(1);
  wv1::TaskReport done = Done(job.outstanding[0].id);
  *done.mutable_cost()->mutable_begun() = ToProto(begun);
  ASSERT_TRUE(Take(done).ok());
  EXPECT_EQ(FromProto(job.totals.device()), absl::Seconds(2));
  EXPECT_EQ(FromProto(job.totals.wait_for_server()), absl::Seconds(5));
  wv1::TaskReport failed =
      Failed(job.outstanding[0].id, absl::StatusCode::kInvalidArgument);
  *failed.mutable_cost()->mutable_begun() = ToProto(begun + absl::Seconds(2));
  ASSERT_TRUE(Take(failed).ok());
  // It never began, since it follows on a failed one.
  wv1::TaskReport follower =
      Failed(job.outstanding[0].id, absl::StatusCode::kAborted);
  follower.clear_cost();
  ASSERT_TRUE(Take(follower).ok());

  std::vector<TaskTrace> traces;
  for (const Action& action : actions_) {
    const auto* trace = std::get_if<TaskTrace>(&action);
    if (trace != nullptr) traces.push_back(*trace);
  }
  ASSERT_THAT(traces, SizeIs(2));
  EXPECT_EQ(traces[0].outcome, v1::TASK_OUTCOME_COMMITTED);
  EXPECT_EQ(traces[0].step, 3);
  EXPECT_EQ(traces[0].promoted_bytes, 4096);
  EXPECT_EQ(traces[1].outcome, v1::TASK_OUTCOME_FAILED);
  EXPECT_EQ(traces[1].device_free_at, traces[0].ended_at);
  // A failed one is nothing of the job's.
  EXPECT_EQ(FromProto(job.totals.device()), absl::Seconds(2));
}

TEST_F(TaskResultsTest, ACommitClearsJobAndDeviceOfWhatWentWrongBefore) {
  Job& job = AddWithTasks(1);
  job.failures_in_a_row = 2;
  job.crashes_in_a_row = 1;
  job.crashed_on = {WorkerId(2)};
  job.rests_until = now_ + absl::Seconds(9);
  At(1).deaths = {JobId(7)};
  At(1).quarantines = 1;
  ASSERT_TRUE(Take(Done(job.outstanding[0].id)).ok());
  EXPECT_EQ(job.failures_in_a_row, 0);
  EXPECT_EQ(job.crashes_in_a_row, 0);
  EXPECT_THAT(job.crashed_on, IsEmpty());
  EXPECT_TRUE(queue_.Contains(job.id)) << "it rests";
  EXPECT_THAT(At(1).deaths, IsEmpty());
  EXPECT_EQ(At(1).quarantines, 0);
}

// --- Failed ---

TEST_F(TaskResultsTest, AFailureThatMayPassIsTriedAgainAfterARest) {
  Job& job = AddWithTasks(1);
  const int64_t before = blocks_.used_bytes();
  const TaskId task = job.outstanding[0].id;
  ASSERT_TRUE(Take(Failed(task, absl::StatusCode::kUnavailable)).ok());
  EXPECT_EQ(job.failures_in_a_row, 1);
  EXPECT_EQ(job.rests_until, now_ + absl::Seconds(1));
  EXPECT_EQ(job.state(), v1::JOB_STATE_PENDING);
  EXPECT_EQ(job.reason,
            absl::StrCat("FORWARD of step 3: UNAVAILABLE in layer 2: it broke; "
                         "it is tried again after 1s, ",
                         options_.task_retries - 1, " times more"));
  EXPECT_EQ(job.position.task, 0);
  EXPECT_EQ(job.totals.tasks(), 0);
  EXPECT_FALSE(queue_.Contains(job.id));
  EXPECT_TRUE(hands_.all_empty());
  EXPECT_LT(blocks_.used_bytes(), before);
  CheckSlots();

  life_.Tick(now_ + absl::Milliseconds(999));
  EXPECT_FALSE(queue_.Contains(job.id));
  life_.Tick(now_ + absl::Seconds(1));
  EXPECT_TRUE(queue_.Contains(job.id));
}

TEST_F(TaskResultsTest, AJobWhoseTaskFailsTooOftenFails) {
  Job& job = AddWithTasks(1);
  job.failures_in_a_row = options_.task_retries;
  const TaskId task = job.outstanding[0].id;
  ASSERT_TRUE(Take(Failed(task, absl::StatusCode::kUnavailable)).ok());
  EXPECT_EQ(job.state(), v1::JOB_STATE_FAILED);
  EXPECT_TRUE(job.ended());
  EXPECT_THAT(job.reason,
              HasSubstr(absl::StrCat("it broke; it was tried ",
                                     options_.task_retries + 1, " times")));
  EXPECT_EQ(blocks_.used_bytes(), 0);
}

TEST_F(TaskResultsTest, AFailureThatTimeDoesNotHelpEndsTheJob) {
  Job& job = AddWithTasks(1);
  const TaskId task = job.outstanding[0].id;
  ASSERT_TRUE(Take(Failed(task, absl::StatusCode::kInvalidArgument)).ok());
  EXPECT_EQ(job.state(), v1::JOB_STATE_FAILED);
  EXPECT_EQ(job.reason,
            "FORWARD of step 3: INVALID_ARGUMENT in layer 2: it broke");
}

TEST_F(TaskResultsTest, WhatFollowsOnAFailedTaskComesToNothingHoweverItEnds) {
  for (const bool fails : {false, true}) {
    Job& job = AddWithTasks(2);
    const std::vector<TaskId> tasks = {job.outstanding[0].id,
                                       job.outstanding[1].id};
    ASSERT_TRUE(Take(Failed(tasks[0], absl::StatusCode::kUnavailable)).ok());
    ASSERT_THAT(job.outstanding, SizeIs(1));
    // The job does not begin again beside it.
    EXPECT_EQ(job.state(), v1::JOB_STATE_RUNNING);
    // Of another job it would be the end.
    ASSERT_TRUE(Take(fails
                         ? Failed(tasks[1], absl::StatusCode::kInvalidArgument)
                         : Done(tasks[1], /*loss_sum=*/6, /*loss_tokens=*/4))
                    .ok());
    EXPECT_EQ(job.state(), v1::JOB_STATE_PENDING);
    EXPECT_EQ(job.failures_in_a_row, 1);
    EXPECT_THAT(job.reason, HasSubstr("it is tried again after 1s"));
    EXPECT_EQ(job.position.task, 0);
    EXPECT_TRUE(job.steps.empty());
    EXPECT_TRUE(hands_.all_empty());
    CheckSlots();
    queue_.Leave(job.id);
    blocks_.EndAll(job.id);
    book_.Erase(job.id);
  }
}

// --- What cannot be ---

TEST_F(TaskResultsTest, AReportThatContradictsChangesNothing) {
  Job& job = AddWithTasks(2);
  const std::vector<TaskId> tasks = {job.outstanding[0].id,
                                     job.outstanding[1].id};
  wv1::TaskReport of_another_kind = Report(tasks[0]);
  of_another_kind.mutable_pilot();
  const std::vector<std::pair<wv1::TaskReport, std::string>> cases = {
      {Done(tasks[1], /*loss_sum=*/6, /*loss_tokens=*/4),
       absl::StrCat("it reports task ", tasks[1].value(), " of j1 before task ",
                    tasks[0].value())},
      {of_another_kind, "TASK_KIND_FORWARD"},
  };
  for (const auto& [report, message] : cases) {
    const absl::Status refused = Take(report);
    EXPECT_EQ(refused.code(), absl::StatusCode::kInternal) << message;
    EXPECT_THAT(std::string(refused.message()), HasSubstr(message));
  }
  EXPECT_THAT(job.outstanding, SizeIs(2));
  EXPECT_THAT(At(1).hand, SizeIs(2));
  EXPECT_EQ(At(1).finished_tasks, 0);
  EXPECT_EQ(job.position.task, 0);
  EXPECT_EQ(job.failures_in_a_row, 0);
}

TEST_F(TaskResultsTest, AReportThatCameBeforeChangesNothing) {
  Job& job = AddWithTasks(2);
  const wv1::TaskReport report = Done(job.outstanding[0].id);
  ASSERT_TRUE(Take(report).ok());
  ASSERT_TRUE(Take(report).ok());
  EXPECT_EQ(job.totals.tasks(), 1);
  EXPECT_EQ(At(1).finished_tasks, 1);
  EXPECT_THAT(job.outstanding, SizeIs(1));
}

}  // namespace
}  // namespace hydra
