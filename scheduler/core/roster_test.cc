#include "scheduler/core/roster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/protocol/task_format.h"
#include "common/status/proto_time.h"
#include "scheduler/core/testing/book_job.h"
#include "scheduler/core/testing/roster_fixture.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Processes have their worker's number as pid and session.
class RosterTest : public RosterFixture {
 protected:
  void Start(uint64_t worker) {
    journal::v1::WorkerProcess process;
    process.set_pid(worker);
    process.set_session(absl::StrCat(worker));
    roster_.Started(WorkerId(worker), process);
  }
  static wv1::WorkerReport Report(uint64_t worker, uint64_t sequence) {
    wv1::WorkerReport report;
    report.set_session(absl::StrCat(worker));
    report.set_sequence(sequence);
    report.set_task_format(kTaskFormat);
    return report;
  }
  // A report after all that came before it.
  bool Say(uint64_t worker, absl::Time now) {
    return roster_.TakeAttendance(
        At(worker), Report(worker, At(worker).report_sequence + 1), now);
  }
  // Every worker is there at `now_`.
  void AttachAll() {
    for (uint64_t worker : {1, 2, 3}) {
      Start(worker);
      ASSERT_TRUE(Say(worker, now_));
    }
  }
  // The daemon's clock goes on to `until`, a second at a time.
  void TickUntil(absl::Time until) {
    for (; ticked_ <= until; ticked_ += absl::Seconds(1)) roster_.Tick(ticked_);
  }
  // Whom the actions since the last call kill.
  std::vector<WorkerId> TakeKills() {
    std::vector<WorkerId> killed;
    for (const Action& action : std::exchange(actions_, {})) {
      const auto* kill = std::get_if<WorkerKill>(&action);
      if (kill != nullptr) killed.push_back(kill->worker);
    }
    return killed;
  }
  absl::Time ticked_ = now_;
};

// --- Attendance ---

TEST_F(RosterTest, AReportCountsOnceAndOfTheProcessThatWasStarted) {
  // Nobody was started.
  EXPECT_FALSE(roster_.TakeAttendance(At(1), Report(1, 1), now_));
  Start(1);
  EXPECT_FALSE(roster_.TakeAttendance(At(1), Report(2, 1), now_))
      << "another session";
  EXPECT_FALSE(At(1).ready());
  EXPECT_TRUE(roster_.TakeAttendance(At(1), Report(1, 2), now_));
  EXPECT_TRUE(At(1).ready());
  EXPECT_FALSE(roster_.TakeAttendance(At(1), Report(1, 2), now_)) << "again";
  EXPECT_FALSE(roster_.TakeAttendance(At(1), Report(1, 1), now_)) << "older";
  EXPECT_TRUE(roster_.TakeAttendance(At(1), Report(1, 3), now_));
}

TEST_F(RosterTest, ANewProcessCountsItsReportsFromOne) {
  AttachAll();
  ASSERT_TRUE(roster_.TakeAttendance(At(1), Report(1, 99), now_));
  roster_.Died(At(1), "signal 9", now_);
  EXPECT_FALSE(roster_.TakeAttendance(At(1), Report(1, 100), now_)) << "dead";
  Start(1);
  EXPECT_TRUE(roster_.TakeAttendance(At(1), Report(1, 1), now_));
}

TEST_F(RosterTest, AfterABreakOfTheStreamAllIsSentAgain) {
  AttachAll();
  uint64_t last = 0;
  At(1).contexts.Need(JobId(7), "content", &last);
  At(1).contexts.EndMessage();
  At(1).contexts.Reported({last});
  ASSERT_TRUE(At(1).contexts.Has(JobId(7)));
  At(1).must_send = false;
  roster_.StreamEnded(WorkerId(1), now_);
  EXPECT_FALSE(At(1).ready());
  EXPECT_TRUE(Say(1, now_));
  EXPECT_TRUE(At(1).must_send);
  EXPECT_FALSE(At(1).contexts.Has(JobId(7)));
}

TEST_F(RosterTest, BusyIsCountedSinceTheWorkerAttached) {
  Start(1);
  wv1::WorkerReport report = Report(1, 1);
  report.mutable_device()->mutable_demote()->set_seconds(77);
  *report.mutable_device()->mutable_busy() = ToProto(absl::Hours(5));
  ASSERT_TRUE(roster_.TakeAttendance(At(1), report, now_));
  report.set_sequence(2);
  *report.mutable_device()->mutable_busy() =
      ToProto(absl::Hours(5) + absl::Seconds(2));
  const absl::Time later = now_ + absl::Seconds(3);
  ASSERT_TRUE(roster_.TakeAttendance(At(1), report, later));
  const v1::WorkerStatus status = roster_.Statuses(later)[0];
  EXPECT_EQ(FromProto(status.busy()), absl::Seconds(2));
  EXPECT_EQ(FromProto(status.attached()), absl::Seconds(3));
  EXPECT_FALSE(status.has_computing()) << "it does not say what it waited for";
  report.set_sequence(3);
  report.mutable_device()->mutable_demote()->set_seconds(78);
  report.mutable_device()->mutable_copy_wait()->set_seconds(1);
  ASSERT_TRUE(roster_.TakeAttendance(At(1), report, later + absl::Seconds(1)));
  EXPECT_EQ(roster_.Statuses(later + absl::Seconds(1))[0].demoting(), 0.25);
}

TEST_F(RosterTest, AWorkerOfAnEarlierVersionGetsNothing) {
  AttachAll();
  const Job& job = AddSmallJob(1, book_);
  EXPECT_TRUE(roster_.CanRun(At(1), job));
  wv1::WorkerReport report = Report(1, 2);
  report.set_task_format(kTaskFormat - 1);
  ASSERT_TRUE(roster_.TakeAttendance(At(1), report, now_));
  EXPECT_FALSE(roster_.CanRun(At(1), job));
}

TEST_F(RosterTest, AGpuIsShownWhileItsWorkerIsThere) {
  Start(1);
  wv1::WorkerReport report = Report(1, 1);
  report.mutable_device()->mutable_gpu()->set_power_watts(250);
  ASSERT_TRUE(roster_.TakeAttendance(At(1), report, now_));
  EXPECT_EQ(roster_.Statuses(now_)[0].gpu().power_watts(), 250);
  EXPECT_FALSE(roster_.Statuses(now_)[1].has_gpu());
  roster_.StreamEnded(WorkerId(1), now_);
  EXPECT_FALSE(roster_.Statuses(now_)[0].has_gpu());
}

TEST_F(RosterTest, ItsStatusNamesTheTaskThatItComputes) {
  AttachAll();
  Job& job = AddSmallJob(4, book_);
  for (uint64_t id : {7, 8}) {
    OutstandingTask task;
    task.id = TaskId(id);
    task.worker = WorkerId(1);
    task.begun = id == 7;
    task.task.kind = wv1::TASK_KIND_FORWARD;
    task.task.step = 3;
    job.outstanding.push_back(task);
    At(1).hand.emplace_back(job.id, task.id);
  }
  const v1::WorkerStatus status = roster_.Statuses(now_)[0];
  EXPECT_EQ(status.task(), "j4 FORWARD shard 0 step 3");
  EXPECT_EQ(status.held_tasks(), 1);
}

// --- Leases ---

TEST_F(RosterTest, AWorkerWhoseStreamEndedHasItsLeaseToComeBack) {
  AttachAll();
  TickUntil(now_);
  roster_.StreamEnded(WorkerId(2), now_);
  for (uint64_t worker : {1, 3}) Say(worker, now_ + absl::Seconds(2));
  TickUntil(now_ + absl::Seconds(2));
  EXPECT_THAT(TakeKills(), IsEmpty());
  TickUntil(now_ + absl::Seconds(3));
  EXPECT_THAT(TakeKills(), ElementsAre(WorkerId(2)));
  EXPECT_TRUE(At(2).blameless);
  // Once, and it is not listened to any more.
  EXPECT_FALSE(roster_.TakeAttendance(At(2), Report(2, 99), now_));
  for (uint64_t worker : {1, 3}) Say(worker, now_ + absl::Seconds(4));
  TickUntil(now_ + absl::Seconds(5));
  EXPECT_THAT(TakeKills(), IsEmpty());
}

TEST_F(RosterTest, AWorkerThatCameBackInTimeStays) {
  AttachAll();
  roster_.StreamEnded(WorkerId(2), now_);
  for (int second = 1; second <= 10; ++second) {
    TickUntil(now_ + absl::Seconds(second));
    for (uint64_t worker : {1, 2, 3}) Say(worker, now_ + absl::Seconds(second));
  }
  EXPECT_THAT(TakeKills(), IsEmpty());
}

TEST_F(RosterTest, AWorkerThatFallsSilentIsKilled) {
  AttachAll();
  for (int second = 0; second <= 3; ++second) {
    for (uint64_t worker : {1, 3}) Say(worker, now_ + absl::Seconds(second));
    TickUntil(now_ + absl::Seconds(second));
    EXPECT_EQ(TakeKills().size(), second == 3 ? 1 : 0) << second;
  }
}

// Nobody was heard meanwhile, whoever spoke.
TEST_F(RosterTest, ASilenceWhileTheDaemonStoodStillKillsNobody) {
  AttachAll();
  roster_.Tick(now_);
  ticked_ = now_ + absl::Seconds(10);
  TickUntil(now_ + absl::Seconds(12));
  EXPECT_THAT(TakeKills(), IsEmpty());
  TickUntil(now_ + absl::Seconds(13));
  EXPECT_THAT(TakeKills(), SizeIs(3));
}

TEST_F(RosterTest, AProcessThatNeverCallsIsKilledWhenPatienceEnds) {
  Start(1);
  TickUntil(now_ + options_.start_patience - absl::Seconds(1));
  EXPECT_THAT(TakeKills(), IsEmpty());
  TickUntil(now_ + options_.start_patience);
  EXPECT_THAT(TakeKills(), ElementsAre(WorkerId(1)));
}

TEST_F(RosterTest, AProcessOfAnEarlierDaemonHasUntilItsLeaseToAttach) {
  journal::v1::WorkerProcess process;
  process.set_pid(1);
  process.set_session("1");
  roster_.Restore(WorkerId(1), process, now_ + absl::Seconds(7));
  TickUntil(now_ + absl::Seconds(6));
  EXPECT_THAT(TakeKills(), IsEmpty());
  TickUntil(now_ + absl::Seconds(7));
  EXPECT_THAT(TakeKills(), ElementsAre(WorkerId(1)));
}

TEST_F(RosterTest, AWorkerThatSaysWhatCannotBeIsKilledAndItsJobsAreTold) {
  AttachAll();
  Job& job = AddSmallJob(4, book_);
  At(1).hand.emplace_back(job.id, TaskId(7));
  roster_.Refuse(At(1), absl::InternalError("no such task"), now_);
  ASSERT_THAT(actions_, SizeIs(2));
  const LineForJob& line = std::get<LineForJob>(actions_[0]);
  EXPECT_EQ(line.job, job.id);
  EXPECT_THAT(line.line.text(), HasSubstr("worker cpu:0 contradicts itself: "
                                          "no such task"));
  EXPECT_EQ(std::get<WorkerKill>(actions_[1]).worker, WorkerId(1));
  EXPECT_TRUE(At(1).blameless);
  EXPECT_FALSE(Say(1, now_));
}

// --- Absence ---

TEST_F(RosterTest, ADeviceThatIsGoneForLongIsNotCountedOn) {
  AttachAll();
  AddPilotWaiter(1);
  roster_.Died(At(1), "signal 9", now_);
  roster_.Tick(now_ + options_.absence - absl::Seconds(1));
  EXPECT_TRUE(At(1).usable());
  EXPECT_FALSE(queue_.has_awake());
  roster_.Tick(now_ + options_.absence);
  EXPECT_FALSE(At(1).usable());
  // It may have waited for a pilot there.
  EXPECT_TRUE(queue_.has_awake());
  Start(1);
  EXPECT_TRUE(Say(1, now_ + absl::Minutes(3)));
  EXPECT_TRUE(At(1).usable());
}

TEST_F(RosterTest, AProcessThatDiesAtItsStartDoesNotEndAnAbsence) {
  AttachAll();
  roster_.Died(At(1), "signal 9", now_);
  Start(1);
  roster_.Died(At(1), "signal 9", now_ + options_.absence - absl::Seconds(1));
  roster_.Tick(now_ + options_.absence);
  EXPECT_FALSE(At(1).usable());
}

TEST_F(RosterTest, WhyNoDeviceCanStartIsSaidOnceItHoldsForAll) {
  for (uint64_t worker : {1, 2, 3}) Start(worker);
  roster_.Died(At(1), "no driver", now_);
  roster_.Died(At(2), "no driver", now_);
  EXPECT_EQ(queue_.waits_for_device(), JobQueue::kWaitsForADevice);
  roster_.Died(At(3), "no driver", now_);
  EXPECT_EQ(queue_.waits_for_device(),
            "waits for a free device, and none can start; cpu:0 cannot start: "
            "no driver");
  EXPECT_EQ(roster_.Statuses(now_)[1].reason(), "cannot start: no driver");
  Start(2);
  ASSERT_TRUE(Say(2, now_));
  EXPECT_EQ(queue_.waits_for_device(), JobQueue::kWaitsForADevice);
  EXPECT_EQ(roster_.Statuses(now_)[1].reason(), "");
}

TEST_F(RosterTest, ADeathAfterItsCallIsNoTroubleToStart) {
  AttachAll();
  for (uint64_t worker : {1, 2, 3}) roster_.Died(At(worker), "signal 9", now_);
  EXPECT_EQ(queue_.waits_for_device(), JobQueue::kWaitsForADevice);
  EXPECT_EQ(roster_.Statuses(now_)[0].restarts(), 1);
  EXPECT_EQ(roster_.Statuses(now_)[0].state(), v1::WORKER_STATE_RESTARTING);
}

}  // namespace
}  // namespace hydra
