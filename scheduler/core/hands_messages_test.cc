#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "scheduler/core/hands.h"
#include "scheduler/core/job_move.h"
#include "scheduler/core/testing/hands_fixture.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// What workers are told of their hands, and when they are killed for it.
class HandsMessagesTest : public HandsFixture {
 protected:
  HandsMessagesTest() { Tell(); }
  static std::vector<uint64_t> TasksOf(const WorkerMessage& message) {
    std::vector<uint64_t> tasks;
    for (const wv1::Task& task : message.desired.tasks()) {
      tasks.push_back(task.task_id());
    }
    return tasks;
  }
};

// --- Desired states ---

TEST_F(HandsMessagesTest, AWorkerIsToldOnceOfWhatChangedForIt) {
  Job& job = AddAt(1, InStep(3));
  EXPECT_THAT(Tell(), IsEmpty());
  HandOut(job, 2);
  const auto messages = Tell();
  ASSERT_THAT(messages, SizeIs(1));
  EXPECT_EQ(messages[0].worker, WorkerId(2));
  EXPECT_THAT(TasksOf(messages[0]), ElementsAre(101));
  EXPECT_EQ(job.outstanding[0].told_in, messages[0].desired.sequence());
  EXPECT_THAT(Tell(), IsEmpty());
}

TEST_F(HandsMessagesTest, EveryMessageSaysAllAndHasANumberOfItsOwn) {
  Job& job = AddAt(1, InStep(3));
  HandOut(job);
  const WorkerMessage first = Tell().at(0);
  HandOut(job);
  At(1).acknowledged = {55};
  At(1).log_sequence = 12;
  At(1).kept_log_sequence = 9;
  const WorkerMessage second = Tell().at(0);
  EXPECT_THAT(TasksOf(second), ElementsAre(101, 102));
  EXPECT_THAT(second.desired.acknowledged_tasks(), ElementsAre(55));
  EXPECT_EQ(second.desired.acknowledged_log_sequence(), 9);
  EXPECT_GT(second.desired.sequence(), first.desired.sequence());
  // It is the first message that counts.
  EXPECT_EQ(job.outstanding[0].told_in, first.desired.sequence());
  EXPECT_EQ(job.outstanding[1].told_in, second.desired.sequence());
}

TEST_F(HandsMessagesTest, AWithdrawnTaskIsItsWorkersAndInNoMessage) {
  Job& job = AddAt(1, InStep(3));
  HandOut(job);
  Tell();
  Hands::Withdraw(job);
  EXPECT_THAT(TasksOf(Tell().at(0)), IsEmpty());
  EXPECT_FALSE(hands_.all_empty());
  EXPECT_FALSE(job.outstanding[0].stray);
}

TEST_F(HandsMessagesTest, ADisownedTaskIsBrokenOffAlthoughItBegan) {
  Job& job = AddAt(1, InStep(3));
  HandOut(job);
  job.outstanding[0].begun = true;
  Tell();
  Hands::Disown(job);
  EXPECT_THAT(Tell().at(0).desired.cancelled_tasks(), ElementsAre(101));
  EXPECT_TRUE(job.outstanding[0].told_to_stop);
}

TEST_F(HandsMessagesTest, AfterABreakOfTheStreamItIsToldAgain) {
  HandOut(AddAt(1, InStep(3)));
  Tell();
  roster_.StreamEnded(WorkerId(1), now_);
  EXPECT_THAT(Tell(), IsEmpty());
  Report(1);
  const auto messages = Tell();
  ASSERT_THAT(messages, SizeIs(1));
  EXPECT_THAT(TasksOf(messages[0]), ElementsAre(101));
  EXPECT_THAT(messages[0].desired.jobs(), SizeIs(1));
}

// Whatever becomes of files, and on whatever day it is prepared again.
TEST_F(HandsMessagesTest, ConversationsComeWithTheirTemplateAndDay) {
  Job& job = AddAt(1, InStep(3));
  job.submitted.spec.mutable_data()->set_format(v1::DATA_FORMAT_CHAT);
  job.submitted.chat_template = std::string("{{ messages }}");
  job.submitted_at = absl::FromCivil(
      absl::CivilSecond(2026, 11, 30, 23, 59, 59), absl::LocalTimeZone());
  HandOut(job);
  const wv1::JobContext context = Tell().at(0).desired.jobs(0);
  EXPECT_EQ(context.chat_template(), "{{ messages }}");
  EXPECT_EQ(context.day(), "2026-11-30");
}

// A job's specification may take a megabyte.
TEST_F(HandsMessagesTest, AJobIsDescribedUntilTheWorkerHasIt) {
  Job& job = AddAt(1, InStep(3));
  options_.prefetch_bytes = 4096;
  HandOut(job);
  const WorkerMessage first = Tell().at(0);
  ASSERT_THAT(first.desired.jobs(), SizeIs(1));
  EXPECT_EQ(first.desired.jobs(0).job_id(), 1);
  EXPECT_EQ(first.desired.jobs(0).prefetch_bytes(), 4096);
  EXPECT_THAT(first.desired.jobs(0).splits(), SizeIs(1));
  const uint64_t number = first.desired.jobs(0).number();
  EXPECT_THAT(first.desired.contexts(), ElementsAre(number));
  // It does not say yet that it has it.
  HandOut(job);
  EXPECT_THAT(Tell().at(0).desired.jobs(), SizeIs(1));
  Report(1, {number});
  hands_.Commit(job);
  const WorkerMessage third = Tell().at(0);
  EXPECT_THAT(third.desired.jobs(), IsEmpty());
  EXPECT_THAT(third.desired.contexts(), ElementsAre(number));
  // Another one than it has: what was prepared or a pilot should leave free.
  job.pilot_reserve_bytes = 512;
  job.position = InStep(3, 1);
  HandOut(job);
  const WorkerMessage fourth = Tell().at(0);
  ASSERT_THAT(fourth.desired.jobs(), SizeIs(1));
  EXPECT_EQ(fourth.desired.jobs(0).prefetch_bytes(), 4096 + 512);
  const uint64_t newer = fourth.desired.jobs(0).number();
  EXPECT_GT(newer, number);
  Report(1, {newer});
  job.splits[0].set_token_count(300);
  hands_.Abandon(job, 1);
  EXPECT_GT(Tell().at(0).desired.jobs(0).number(), newer);
}

// --- What is of no use any more ---

struct UnwantedCase {
  std::string name;
  bool begun;
  std::function<void(Job&, Hands&)> change;
  // Of a task of a step, and of one that would begin again.
  bool stops_step;
  bool stops_init;
};

TEST_F(HandsMessagesTest, BegunTasksAreBrokenOffThatAreOfNoUse) {
  const std::vector<UnwantedCase> cases = {
      {"all is well", true, [](Job&, Hands&) {}, false, false},
      {"its job is cancelled", true,
       [](Job& job, Hands&) { RestoreState(job, v1::JOB_STATE_CANCELLED, ""); },
       true, true},
      {"it has not begun", false,
       [](Job& job, Hands&) { RestoreState(job, v1::JOB_STATE_CANCELLED, ""); },
       false, false},
      {"the daemon stops", true, [](Job&, Hands& hands) { hands.BeginRest(); },
       false, true},
      {"workers stop", true, [](Job&, Hands& hands) { hands.Stop(); }, false,
       true},
  };
  for (const UnwantedCase& each : cases) {
    SCOPED_TRACE(each.name);
    for (const bool init : {false, true}) {
      Hands hands({&options_, &book_, &blocks_, &admission_, &roster_,
                   &journal_, &actions_, &shares_},
                  /*last_number=*/100);
      Job& job = AddAt(1, init ? ChainPosition() : InStep(3));
      ASSERT_EQ(hands.HandOut(job, At(1), now_), Hands::Given::kYes);
      job.outstanding[0].begun = each.begun;
      each.change(job, hands);
      At(1).must_send = true;
      At(2).must_send = false;
      actions_.clear();
      hands.TellWorkers();
      const auto& message = std::get<WorkerMessage>(actions_.at(0));
      EXPECT_EQ(message.desired.cancelled_tasks_size(),
                (init ? each.stops_init : each.stops_step) ? 1 : 0)
          << init;
      hands.Abandon(job, 0);
      blocks_.EndAll(job.id);
      book_.Erase(job.id);
    }
  }
}

TEST_F(HandsMessagesTest, WorkersAreToldToStopAndNothingIsHandedOutAnyMore) {
  EXPECT_FALSE(hands_.resting());
  hands_.Stop();
  EXPECT_TRUE(hands_.resting());
  const auto messages = Tell();
  ASSERT_THAT(messages, SizeIs(2));
  EXPECT_TRUE(messages[0].desired.stop());
}

// --- Stuck tasks ---

TEST_F(HandsMessagesTest, ATaskThatDoesNotGetOnIsKilledOnceWithItsWorker) {
  options_.watchdog_floor = absl::Seconds(40);
  options_.watchdog_factor = 0;
  Job& job = AddAt(1, InStep(3));
  HandOut(job);
  job.outstanding[0].got_on_at = now_;
  actions_.clear();
  hands_.KillStuckTasks(now_ + absl::Hours(9));
  EXPECT_THAT(actions_, IsEmpty()) << "it has not begun";
  job.outstanding[0].begun = true;
  hands_.KillStuckTasks(now_ + absl::Seconds(39));
  EXPECT_THAT(actions_, IsEmpty());
  hands_.KillStuckTasks(now_ + absl::Seconds(40));
  ASSERT_THAT(actions_, SizeIs(2));
  EXPECT_THAT(std::get<LineForJob>(actions_[0]).line.text(),
              HasSubstr("has not got on for 40s, and was given 40s"));
  EXPECT_EQ(std::get<WorkerKill>(actions_[1]).worker, WorkerId(1));
  hands_.KillStuckTasks(now_ + absl::Hours(9));
  EXPECT_THAT(actions_, SizeIs(2));
}

TEST_F(HandsMessagesTest, ATaskHasTimeByWhatIsKnownOfIt) {
  options_.watchdog_floor = absl::Seconds(1);
  options_.watchdog_factor = 20;
  options_.watchdog_unmeasured = absl::Hours(1);
  Job& prepares = AddSmallJob(1, book_);
  Job& is_filled = AddAt(2, ChainPosition());
  Job& trains = AddAt(3, InStep(3));
  HandOut(prepares, 1);
  for (Job* job : {&is_filled, &trains}) HandOut(*job, 2);
  // As the pilot, or tasks before, said.
  trains.times->Observe(trains.outstanding[0].task, absl::Seconds(10), {});
  for (Job* job : {&prepares, &is_filled, &trains}) {
    job->outstanding[0].begun = true;
    job->outstanding[0].got_on_at = now_;
  }
  const auto kills = [&](absl::Duration later) {
    actions_.clear();
    hands_.KillStuckTasks(now_ + later);
    return actions_.size() / 2;
  };
  EXPECT_EQ(kills(absl::Seconds(199)), 0);
  EXPECT_EQ(kills(absl::Seconds(200)), 1);
  EXPECT_EQ(kills(absl::Minutes(59)), 0);
  EXPECT_EQ(kills(absl::Hours(1)), 2);
}

// It may be known elsewhere that it is dead.
TEST_F(HandsMessagesTest, AWorkerThatIsNotThereIsNotKilledForItsTask) {
  Job& job = AddSmallJob(1, book_);
  HandOut(job);
  job.outstanding[0].begun = true;
  job.outstanding[0].got_on_at = now_;
  roster_.StreamEnded(WorkerId(1), now_);
  actions_.clear();
  hands_.KillStuckTasks(now_ + absl::Hours(9));
  EXPECT_THAT(actions_, IsEmpty());
}

}  // namespace
}  // namespace hydra
