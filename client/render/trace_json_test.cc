#include "client/render/trace_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "common/status/proto_time.h"
#include "nlohmann/json.hpp"

namespace hydra {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

google::protobuf::Timestamp At(int64_t ns) {
  return ToProto(absl::FromUnixSeconds(1'000'000) + absl::Nanoseconds(ns));
}

v1::TraceResponse Head() {
  v1::TraceResponse head;
  head.add_jobs()->set_job_id("j1");
  head.mutable_jobs(0)->set_name("a \"job\" \xff");
  head.add_devices("cpu:0");
  head.add_devices("cpu:1");
  *head.mutable_begin() = At(0);
  return head;
}

v1::TracedTask* AddTask(const std::string& job, const std::string& kind,
                        int64_t begun_ns, int64_t ended_ns,
                        v1::TraceResponse* to) {
  v1::TracedTask* task = to->add_tasks();
  task->set_job_id(job);
  task->set_device("cpu:1");
  task->set_kind(kind);
  task->set_shard(1);
  task->set_step(17);
  *task->mutable_begun() = At(begun_ns);
  *task->mutable_ended() = At(ended_ns);
  return task;
}

class TraceJsonTest : public ::testing::Test {
 protected:
  // The events of a phase, of the whole file.
  std::vector<json> Events(const std::string& phase) {
    std::ostringstream out;
    TraceJson trace(&out);
    trace.Add(Head());
    trace.Add(message_);
    trace.Finish();
    tasks_ = trace.tasks();
    const json file = json::parse(out.str());
    std::vector<json> events;
    for (const json& event : file.at("traceEvents")) {
      if (event.at("ph") == phase) events.push_back(event);
    }
    return events;
  }

  v1::TraceResponse message_;
  int64_t tasks_ = 0;
};

TEST_F(TraceJsonTest, OfOthersTasksThereIsNoMoreThanWasTold) {
  v1::TracedTask* others = AddTask("j2", "BACKWARD", 1000, 2000, &message_);
  others->clear_step();
  others->set_withheld(true);
  v1::TracedTask* hidden = AddTask("", "FORWARD", 3000, 4000, &message_);
  hidden->clear_step();
  hidden->clear_shard();
  hidden->set_withheld(true);
  const std::vector<json> tasks = Events("X");
  ASSERT_THAT(tasks, SizeIs(2));
  EXPECT_EQ(tasks[0].at("name"), "j2 BACKWARD shard 1");
  EXPECT_EQ(tasks[1].at("name"), "another user's task");
  for (const json& task : tasks) {
    EXPECT_EQ(task.at("args").dump(), R"({"job":"another user's"})");
  }
}

TEST_F(TraceJsonTest, EachDeviceIsAProcessWithLanes) {
  std::vector<std::string> processes;
  std::vector<std::string> lanes;
  for (const json& name : Events("M")) {
    if (name.at("name") == "process_name") {
      processes.push_back(name.at("args").at("name"));
    } else if (name.at("name") == "thread_name" && name.at("pid") == 2) {
      lanes.push_back(name.at("args").at("name"));
    }
  }
  EXPECT_THAT(processes, ElementsAre("hydrad", "cpu:0", "cpu:1"));
  EXPECT_THAT(lanes, ElementsAre("tasks", "copies, in sum", "waits",
                                 "preparation", "decisions"));
}

TEST_F(TraceJsonTest, ATaskIsASliceWithWhatItTook) {
  v1::TracedTask* task = AddTask("j1", "BACKWARD", 2'000, 5'500, &message_);
  task->set_outcome(v1::TASK_OUTCOME_COMMITTED);
  task->set_first_layer(3);
  task->set_last_layer(7);
  task->set_promoted_bytes(10);
  *task->mutable_copy() = ToProto(absl::Nanoseconds(1'250));
  const std::vector<json> slices = Events("X");
  ASSERT_THAT(slices, SizeIs(2));
  EXPECT_EQ(slices[0].at("name"), "j1 BACKWARD shard 1 step 17");
  EXPECT_EQ(slices[0].at("pid"), 3);
  EXPECT_EQ(slices[0].at("ts"), 2.0);
  EXPECT_EQ(slices[0].at("dur"), 3.5);
  EXPECT_EQ(slices[0].at("args").at("job"), "j1 a \"job\" \xEF\xBF\xBD");
  EXPECT_EQ(slices[0].at("args").at("layers"), "[3, 7)");
  EXPECT_EQ(slices[0].at("args").at("outcome"), "committed");
  EXPECT_EQ(slices[0].at("args").at("promoted_bytes"), 10);
  EXPECT_EQ(slices[1].at("name"), "copies");
  EXPECT_EQ(slices[1].at("dur"), 1.25);
  EXPECT_NE(slices[1].at("tid"), slices[0].at("tid"));
  EXPECT_EQ(tasks_, 1);
}

TEST_F(TraceJsonTest, OtherJobsTasksAreMarkedAndPreparationHasItsLane) {
  AddTask("j2", "FORWARD", 0, 5, &message_);
  AddTask("j1", "PREPARE", 0, 5, &message_);
  const std::vector<json> slices = Events("X");
  ASSERT_THAT(slices, SizeIs(2));
  EXPECT_EQ(slices[0].at("cat"), "task of another job");
  EXPECT_EQ(slices[1].at("cat"), "task");
  EXPECT_EQ(slices[1].at("name"), "j1 PREPARE");
  EXPECT_NE(slices[1].at("tid"), slices[0].at("tid"));
  EXPECT_EQ(tasks_, 1);
}

TEST_F(TraceJsonTest, WaitsStandBeforeTheTaskThatEndsThem) {
  v1::TracedTask* task = AddTask("j1", "TURN", 9'000, 9'001, &message_);
  v1::DeviceWait* wait = task->add_waits();
  wait->set_kind(v1::DEVICE_WAIT_KIND_IDLE);
  *wait->mutable_begin() = At(4'000);
  *wait->mutable_end() = At(9'000);
  const std::vector<json> slices = Events("X");
  ASSERT_THAT(slices, SizeIs(2));
  EXPECT_EQ(slices[1].at("name"), "idle");
  EXPECT_EQ(slices[1].at("ts"), 4.0);
  EXPECT_EQ(slices[1].at("dur"), 5.0);
}

TEST_F(TraceJsonTest, CountersRiseWithEachTask) {
  AddTask("j1", "FORWARD", 0, 5, &message_)->set_cached_bytes(3);
  AddTask("j2", "FORWARD", 5, 9, &message_)->set_cached_bytes(4);
  const std::vector<json> counters = Events("C");
  ASSERT_THAT(counters, SizeIs(2));
  EXPECT_EQ(counters[0].at("args").at("cached"), 3);
  EXPECT_EQ(counters[1].at("args").at("cached"), 7);
}

TEST_F(TraceJsonTest, DecisionsAreInstantsAndNoneIsBeforeTheBegin) {
  *AddTask("j1", "FORWARD", 0, 5, &message_)->mutable_handed_out() = At(-70);
  v1::TracedDecision* decision = message_.add_decisions();
  decision->set_kind(v1::DECISION_KIND_CHECKPOINT_WRITTEN);
  decision->set_job_id("j1");
  *decision->mutable_time() = At(4'000);
  const std::vector<json> instants = Events("i");
  ASSERT_THAT(instants, SizeIs(2));
  EXPECT_EQ(instants[0].at("name"), "hands out j1 FORWARD shard 1 step 17");
  EXPECT_EQ(instants[0].at("ts"), 0.0);
  EXPECT_EQ(instants[1].at("name"), "j1 checkpoint written");
  EXPECT_EQ(instants[1].at("ts"), 4.0);
  EXPECT_EQ(instants[1].at("pid"), 1);
}

TEST_F(TraceJsonTest, AnEmptyTraceIsAWholeFile) {
  EXPECT_THAT(Events("X"), IsEmpty());
  std::ostringstream out;
  TraceJson trace(&out);
  EXPECT_EQ(out.str(), "");
  trace.Finish();
  EXPECT_TRUE(json::parse(out.str()).at("traceEvents").empty());
}

}  // namespace
}  // namespace hydra
