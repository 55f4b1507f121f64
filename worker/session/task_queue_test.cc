#include "worker/session/task_queue.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using worker::v1::DesiredState;
using worker::v1::TaskReport;
using worker::v1::WorkerReport;

struct Listed {
  uint64_t task_id;
  uint64_t job_id = 1;
};

DesiredState Desired(uint64_t sequence, const std::vector<Listed>& tasks,
                     const std::vector<uint64_t>& acknowledged = {}) {
  DesiredState desired;
  desired.set_sequence(sequence);
  for (const Listed& listed : tasks) {
    auto* task = desired.add_tasks();
    task->set_task_id(listed.task_id);
    task->set_job_id(listed.job_id);
  }
  for (uint64_t id : acknowledged) desired.add_acknowledged_tasks(id);
  return desired;
}

TaskReport Success(uint64_t task_id) {
  TaskReport report;
  report.set_task_id(task_id);
  report.mutable_pass();
  return report;
}

TaskReport Failure(uint64_t task_id, const std::string& message = "broken") {
  TaskReport report;
  report.set_task_id(task_id);
  report.mutable_error()->set_code(
      static_cast<int>(absl::StatusCode::kInternal));
  report.mutable_error()->set_message(message);
  return report;
}

uint64_t BeginId(TaskQueue& queue) {
  const auto begun = queue.Begin(TaskQueue::Lane::kDevice, absl::UnixEpoch());
  return begun ? begun->task.task_id() : 0;
}

uint64_t NextId(const TaskQueue& queue, int index = 0) {
  const TaskQueue::BegunTask* next =
      queue.Next(TaskQueue::Lane::kDevice, index);
  return next == nullptr ? 0 : next->task.task_id();
}

// What the daemon would read.
std::vector<uint64_t> HeldIds(TaskQueue& queue) {
  WorkerReport report;
  queue.FillReport(report, absl::UnixEpoch());
  std::vector<uint64_t> ids;
  for (const auto& held : report.held()) ids.push_back(held.task_id());
  return ids;
}

std::vector<uint64_t> OwedIds(TaskQueue& queue) {
  WorkerReport report;
  queue.FillReport(report, absl::UnixEpoch());
  std::vector<uint64_t> ids;
  for (const auto& owed : report.reports()) ids.push_back(owed.task_id());
  return ids;
}

TEST(TaskQueueTest, AComputedTaskLeavesItsLaneAndIsHeldUntilItEnds) {
  TaskQueue queue;
  queue.ApplyDesired(Desired(1, {{11, 1}, {12, 1}}));
  EXPECT_EQ(BeginId(queue), 11);
  EXPECT_FALSE(queue.has_computed());
  queue.Compute(TaskQueue::Lane::kDevice);
  EXPECT_TRUE(queue.has_computed());
  EXPECT_EQ(BeginId(queue), 12);
  queue.CheckInvariants();

  WorkerReport report;
  queue.FillReport(report, absl::UnixEpoch());
  ASSERT_EQ(report.held_size(), 2);
  EXPECT_EQ(report.held(0).task_id(), 11);
  EXPECT_TRUE(report.held(0).begun());
  EXPECT_TRUE(report.held(0).computed());
  EXPECT_EQ(report.held(1).task_id(), 12);
  EXPECT_FALSE(report.held(1).computed());

  // The daemon still lists it; it does not run again.
  queue.ApplyDesired(Desired(2, {{11, 1}, {12, 1}}));
  EXPECT_EQ(NextId(queue), 0);
  queue.Finish(Success(11));
  EXPECT_FALSE(queue.has_computed());
  EXPECT_EQ(OwedIds(queue), std::vector<uint64_t>{11});
  queue.CheckInvariants();
}

TEST(TaskQueueTest, NamesTheNextTaskWhileOneComputes) {
  TaskQueue queue;
  EXPECT_EQ(NextId(queue), 0);
  queue.ApplyDesired(Desired(1, {{11, 1}, {12, 1}, {13, 2}}));
  EXPECT_EQ(NextId(queue), 11);
  EXPECT_EQ(BeginId(queue), 11);
  EXPECT_EQ(NextId(queue), 12) << "of the same job, which goes on with it";
  EXPECT_EQ(NextId(queue, 1), 13);
  EXPECT_EQ(NextId(queue, 2), 0);
  queue.ApplyDesired(Desired(2, {{11, 1}, {13, 2}}));
  EXPECT_EQ(NextId(queue), 13) << "the other was withdrawn";
  queue.Finish(Success(11));
  EXPECT_EQ(BeginId(queue), 13);
}

TEST(TaskQueueTest, BeginsTasksInTheDaemonsOrder) {
  TaskQueue queue;
  EXPECT_TRUE(queue.ApplyDesired(Desired(1, {{7}, {3}})));
  EXPECT_EQ(BeginId(queue), 7);
  EXPECT_EQ(BeginId(queue), 0) << "one at a time";
  queue.Finish(Success(7));
  EXPECT_EQ(BeginId(queue), 3);
  EXPECT_THAT(OwedIds(queue), ElementsAre(7));
}

TEST(TaskQueueTest, FollowsANewOrderOfWhatHasNotBegun) {
  TaskQueue queue;
  queue.ApplyDesired(Desired(1, {{1}, {2}, {3}}));
  EXPECT_EQ(BeginId(queue), 1);
  queue.ApplyDesired(Desired(2, {{3}, {1}, {2}}));
  EXPECT_THAT(HeldIds(queue), ElementsAre(1, 3, 2));
}

TEST(TaskQueueTest, IgnoresARepeatedAndAnOlderDesiredState) {
  TaskQueue queue;
  EXPECT_TRUE(queue.ApplyDesired(Desired(5, {{1}})));
  EXPECT_FALSE(queue.ApplyDesired(Desired(5, {{2}})));
  EXPECT_FALSE(queue.ApplyDesired(Desired(4, {})));
  EXPECT_THAT(HeldIds(queue), ElementsAre(1));
}

TEST(TaskQueueTest, DropsAWithdrawnTaskUnlessItHasBegun) {
  TaskQueue queue;
  queue.ApplyDesired(Desired(1, {{1}, {2}}));
  EXPECT_EQ(BeginId(queue), 1);
  queue.ApplyDesired(Desired(2, {}));
  WorkerReport report;
  queue.FillReport(report, absl::UnixEpoch());
  ASSERT_EQ(report.held_size(), 1);
  EXPECT_EQ(report.held(0).task_id(), 1);
  EXPECT_TRUE(report.held(0).begun());
  EXPECT_EQ(report.desired_sequence(), 2);
}

TEST(TaskQueueTest, ACancelledTaskThatHasBegunIsToldToStop) {
  TaskQueue queue;
  queue.ApplyDesired(Desired(1, {{1, 1}, {2, 2}}));
  const auto begun = queue.Begin(TaskQueue::Lane::kDevice, absl::UnixEpoch());
  DesiredState desired = Desired(2, {{1, 1}, {2, 2}});
  desired.add_cancelled_tasks(2);
  queue.ApplyDesired(desired);
  EXPECT_TRUE(begun->control->Advance().ok());
  EXPECT_THAT(OwedIds(queue), ElementsAre(2)) << "it had not begun";
  EXPECT_THAT(HeldIds(queue), ElementsAre(1));

  desired = Desired(3, {{1, 1}}, {2});
  desired.add_cancelled_tasks(1);
  queue.ApplyDesired(desired);
  EXPECT_EQ(begun->control->Advance().code(), absl::StatusCode::kAborted);
  EXPECT_THAT(HeldIds(queue), ElementsAre(1)) << "until it has ended";
  queue.CheckInvariants();
}

TEST(TaskQueueTest, TellsHowLongATaskRunsAndThatItGetsOn) {
  TaskQueue queue;
  queue.ApplyDesired(Desired(1, {{1}}));
  const auto begun = queue.Begin(TaskQueue::Lane::kDevice, absl::UnixEpoch());
  ASSERT_TRUE(begun->control->Advance().ok());
  ASSERT_TRUE(begun->control->Advance().ok());
  WorkerReport report;
  queue.FillReport(report, absl::UnixEpoch() + absl::Seconds(7));
  ASSERT_EQ(report.held_size(), 1);
  EXPECT_EQ(report.held(0).progress(), 2);
  EXPECT_EQ(report.held(0).running().seconds(), 7);
}

TEST(TaskQueueTest, WorkOnTheHostHoldsUpNoOtherJobsTasks) {
  TaskQueue queue;
  DesiredState desired = Desired(1, {{1, 1}, {2, 1}, {3, 2}, {4, 3}});
  desired.mutable_tasks(0)->set_kind(worker::v1::TASK_KIND_PREPARE);
  desired.mutable_tasks(3)->set_kind(worker::v1::TASK_KIND_PREPARE);
  queue.ApplyDesired(desired);
  const absl::Time now = absl::UnixEpoch();
  EXPECT_EQ(queue.Begin(TaskQueue::Lane::kDevice, now)->task.task_id(), 3)
      << "task 2 follows task 1";
  EXPECT_EQ(queue.Begin(TaskQueue::Lane::kHost, now)->task.task_id(), 1);
  EXPECT_FALSE(queue.CanBegin(TaskQueue::Lane::kHost)) << "one at a time";
  queue.CheckInvariants();
  queue.Finish(Success(3));
  EXPECT_FALSE(queue.CanBegin(TaskQueue::Lane::kDevice));
  queue.Finish(Success(1));
  EXPECT_EQ(queue.Begin(TaskQueue::Lane::kDevice, now)->task.task_id(), 2);
  EXPECT_EQ(queue.Begin(TaskQueue::Lane::kHost, now)->task.task_id(), 4);
  queue.CheckInvariants();
}

TEST(TaskQueueTest, DoesNotRunAFinishedTaskThatIsListedAgain) {
  TaskQueue queue;
  queue.ApplyDesired(Desired(1, {{1}}));
  BeginId(queue);
  queue.Finish(Success(1));
  queue.ApplyDesired(Desired(2, {{1}}));
  EXPECT_EQ(BeginId(queue), 0);
  queue.ApplyDesired(Desired(3, {{1}}, {1}));
  EXPECT_EQ(BeginId(queue), 0) << "acknowledged, but listed all the same";
  EXPECT_THAT(OwedIds(queue), IsEmpty());
}

TEST(TaskQueueTest, OwesAReportUntilItIsAcknowledged) {
  TaskQueue queue;
  queue.ApplyDesired(Desired(1, {{1}, {2}}));
  for (uint64_t id : {1, 2}) {
    EXPECT_EQ(BeginId(queue), id);
    queue.Finish(Success(id));
  }
  EXPECT_THAT(OwedIds(queue), ElementsAre(1, 2));
  queue.ApplyDesired(Desired(2, {}, {2, 99}));
  EXPECT_THAT(OwedIds(queue), ElementsAre(1));
}

TEST(TaskQueueTest, RefusesWhatFollowsAFailedTaskOfTheSameJob) {
  TaskQueue queue;
  queue.ApplyDesired(Desired(1, {{1, 1}, {2, 2}, {3, 1}}));
  BeginId(queue);
  queue.Finish(Failure(1));
  WorkerReport report;
  queue.FillReport(report, absl::UnixEpoch());
  ASSERT_EQ(report.reports_size(), 2);
  EXPECT_EQ(report.reports(1).task_id(), 3);
  EXPECT_EQ(report.reports(1).error().code(),
            static_cast<int>(absl::StatusCode::kAborted));
  EXPECT_EQ(report.reports(1).error().message(),
            "an earlier task of the job failed");
  EXPECT_EQ(BeginId(queue), 2) << "the other job goes on";
  queue.CheckInvariants();
}

TEST(TaskQueueTest, RefusesATaskThatWasSentBeforeTheDaemonKnewOfTheFailure) {
  TaskQueue queue;
  queue.ApplyDesired(Desired(1, {{1}}));
  BeginId(queue);
  queue.Finish(Failure(1));
  queue.ApplyDesired(Desired(2, {{1}, {2}}));
  EXPECT_EQ(BeginId(queue), 0);
  EXPECT_THAT(OwedIds(queue), ElementsAre(1, 2));
  queue.ApplyDesired(Desired(3, {{2}, {3}}, {1}));
  EXPECT_EQ(BeginId(queue), 0) << "the refused task is still listed";
}

TEST(TaskQueueTest, GoesOnWithTheJobOnceItsFailedTasksAreNoLongerListed) {
  TaskQueue queue;
  queue.ApplyDesired(Desired(1, {{1}, {2}}));
  BeginId(queue);
  queue.Finish(Failure(1));
  queue.ApplyDesired(Desired(2, {{3}}));
  EXPECT_EQ(BeginId(queue), 3);
  EXPECT_THAT(OwedIds(queue), ElementsAre(1, 2)) << "not acknowledged yet";
}

TEST(TaskQueueTest, StopDropsWhatHasNotBegunAndTakesNothingMore) {
  TaskQueue queue;
  queue.ApplyDesired(Desired(1, {{1}, {2}}));
  BeginId(queue);
  DesiredState stop = Desired(2, {{1}, {2}});
  stop.set_stop(true);
  queue.ApplyDesired(stop);
  EXPECT_TRUE(queue.stopping());
  EXPECT_THAT(HeldIds(queue), ElementsAre(1));
  queue.Finish(Success(1));
  queue.ApplyDesired(Desired(3, {{4}}));
  EXPECT_EQ(BeginId(queue), 0);
  EXPECT_THAT(OwedIds(queue), ElementsAre(1));
}

TEST(TaskQueueTest, GivesATaskItsJob) {
  TaskQueue queue;
  DesiredState desired = Desired(1, {{1, 8}, {2, 9}});
  auto* job = desired.add_jobs();
  job->set_job_id(8);
  job->set_token_cache_dir("/cache");
  queue.ApplyDesired(desired);
  EXPECT_EQ(queue.Begin(TaskQueue::Lane::kDevice, absl::UnixEpoch())
                ->job->token_cache_dir(),
            "/cache");
  queue.Finish(Success(1));
  EXPECT_EQ(
      queue.Begin(TaskQueue::Lane::kDevice, absl::UnixEpoch())->job->job_id(),
      9)
      << "never described";
}

TEST(TaskQueueTest, ReportSequenceRisesWithEveryReport) {
  TaskQueue queue;
  WorkerReport first, second;
  queue.FillReport(first, absl::UnixEpoch());
  queue.FillReport(second, absl::UnixEpoch());
  EXPECT_GT(first.sequence(), 0);
  EXPECT_GT(second.sequence(), first.sequence());
}

TEST(TaskQueueTest, MakesAnErrorMessageFitForAProto) {
  TaskQueue queue;
  queue.ApplyDesired(Desired(1, {{1}}));
  BeginId(queue);
  queue.Finish(Failure(1, "bad byte \xff here"));
  WorkerReport sent, received;
  queue.FillReport(sent, absl::UnixEpoch());
  ASSERT_TRUE(received.ParseFromString(sent.SerializeAsString()));
  EXPECT_EQ(received.reports(0).error().message(), "bad byte \uFFFD here");
}

TEST(TaskQueueTest, KnowsWhetherADesiredStateBringsANewTask) {
  TaskQueue queue;
  queue.ApplyDesired(Desired(1, {{1}, {2}}));
  BeginId(queue);
  EXPECT_FALSE(queue.BringsNewTask(Desired(2, {{1}, {2}})));
  EXPECT_FALSE(queue.BringsNewTask(Desired(1, {{3}})));
  EXPECT_TRUE(queue.BringsNewTask(Desired(2, {{2}, {3}})));
  queue.Finish(Success(1));
  EXPECT_FALSE(queue.BringsNewTask(Desired(2, {{1}, {2}})));
}

void Describe(uint64_t number, uint64_t job_id, DesiredState& desired) {
  auto* job = desired.add_jobs();
  job->set_number(number);
  job->set_job_id(job_id);
  job->set_token_cache_dir("/tokens");
}

std::vector<uint64_t> Contexts(TaskQueue& queue) {
  WorkerReport report;
  queue.FillReport(report, absl::UnixEpoch());
  return {report.contexts().begin(), report.contexts().end()};
}

TEST(TaskQueueTest, AContextThatCameOnceServesLaterTasksOfItsJob) {
  TaskQueue queue;
  DesiredState first = Desired(1, {{10, 7}});
  Describe(100, 7, first);
  first.add_contexts(100);
  queue.ApplyDesired(first);
  EXPECT_THAT(Contexts(queue), ElementsAre(100));
  // None of its tasks is there meanwhile.
  DesiredState second = Desired(2, {});
  second.add_contexts(100);
  queue.ApplyDesired(second);
  DesiredState third = Desired(3, {{11, 7}});
  third.add_contexts(100);
  queue.ApplyDesired(third);
  const auto begun = queue.Begin(TaskQueue::Lane::kDevice, absl::UnixEpoch());
  ASSERT_TRUE(begun.has_value());
  EXPECT_EQ(begun->job->token_cache_dir(), "/tokens");
}

TEST(TaskQueueTest, AContextThatIsNotNamedIsForgotten) {
  TaskQueue queue;
  DesiredState first = Desired(1, {{10, 7}});
  Describe(100, 7, first);
  first.add_contexts(100);
  queue.ApplyDesired(first);
  queue.ApplyDesired(Desired(2, {{10, 7}}));
  EXPECT_THAT(Contexts(queue), IsEmpty());
}

TEST(TaskQueueTest, AContextWithoutANumberIsForItsMessageAlone) {
  TaskQueue queue;
  DesiredState first = Desired(1, {{10, 7}});
  Describe(0, 7, first);
  queue.ApplyDesired(first);
  EXPECT_THAT(Contexts(queue), IsEmpty());
  const auto begun = queue.Begin(TaskQueue::Lane::kDevice, absl::UnixEpoch());
  EXPECT_EQ(begun->job->token_cache_dir(), "/tokens");
}

}  // namespace
}  // namespace hydra
