#include "scheduler/service/trace_sender.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "common/status/proto_time.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

absl::Time At(int seconds) { return absl::FromUnixSeconds(1000 + seconds); }

// j1 is asked for.
class TraceSenderTest : public ::testing::Test {
 protected:
  TraceSenderTest() {
    target_.jobs.emplace_back().set_job_id("j1");
    target_.devices = {"cpu:0", "cpu:1"};
    target_.others = [this](JobId) { return others_; };
  }

  void Add(int job, int worker, int begun, int ended) {
    TaskTrace task;
    task.job = JobId(job);
    task.worker = WorkerId(worker);
    task.kind = wv1::TASK_KIND_FORWARD;
    task.shard = 1;
    task.step = 17;
    task.outcome = v1::TASK_OUTCOME_COMMITTED;
    task.promoted_bytes = 64;
    task.device_free_at = At(begun - 1);
    task.handed_out_at = At(begun - 1);
    task.begun_at = At(begun);
    task.ended_at = At(ended);
    log_.Add(task);
  }
  void Decide(int job) {
    DecisionTrace decision;
    decision.kind = v1::DECISION_KIND_ADMITTED;
    decision.at = At(0);
    decision.job = JobId(job);
    log_.Add(decision);
  }

  // All messages in one.
  v1::TraceResponse Sent() {
    v1::TraceResponse all;
    EXPECT_TRUE(SendTrace(log_, target_, [&](const v1::TraceResponse& some) {
                  all.MergeFrom(some);
                  return true;
                }).ok());
    return all;
  }
  static std::vector<int64_t> BegunOf(const v1::TraceResponse& sent) {
    std::vector<int64_t> begun;
    for (const v1::TracedTask& task : sent.tasks()) {
      begun.push_back((FromProto(task.begun()) - At(0)) / absl::Seconds(1));
    }
    return begun;
  }

  TraceLog log_{{}, At(0)};
  TraceTarget target_;
  Answer others_ = Answer::kAllowed;
};

TEST_F(TraceSenderTest, TellsTheTargetsTasksAndWhatElseRanMeanwhile) {
  Add(/*job=*/2, /*worker=*/1, /*begun=*/2, /*ended=*/5);
  Add(1, 1, 5, 7);
  Add(2, 2, 6, 9);
  Add(1, 2, 9, 12);
  Add(2, 1, 13, 14);
  Decide(1);
  Decide(2);
  const v1::TraceResponse sent = Sent();
  EXPECT_THAT(BegunOf(sent), ElementsAre(5, 6, 9));
  EXPECT_EQ(sent.tasks(0).job_id(), "j1");
  EXPECT_EQ(sent.tasks(0).device(), "cpu:0");
  EXPECT_EQ(sent.tasks(0).kind(), "FORWARD");
  EXPECT_EQ(sent.tasks(1).device(), "cpu:1");
  // What was before the first of the tasks is not told.
  EXPECT_THAT(sent.tasks(0).waits(), IsEmpty());
  ASSERT_THAT(sent.tasks(2).waits(), SizeIs(1));
  EXPECT_EQ(FromProto(sent.tasks(2).waits(0).begin()), At(8));
  EXPECT_EQ(FromProto(sent.begin()), At(5));
  EXPECT_EQ(FromProto(sent.complete_since()), At(0));
  EXPECT_THAT(sent.devices(), ElementsAre("cpu:0", "cpu:1"));
  ASSERT_THAT(sent.decisions(), SizeIs(1));
  EXPECT_EQ(sent.decisions(0).job_id(), "j1");
}

TEST_F(TraceSenderTest, OfOthersTasksAsMuchIsToldAsMayBeKnown) {
  Add(/*job=*/1, /*worker=*/1, /*begun=*/2, /*ended=*/5);
  Add(2, 2, 3, 4);
  Add(1, 2, 6, 7);
  v1::TracedTask others = Sent().tasks(1);
  EXPECT_FALSE(others.withheld());
  EXPECT_EQ(others.outcome(), v1::TASK_OUTCOME_COMMITTED);
  EXPECT_EQ(others.step(), 17);

  others_ = Answer::kForbidden;
  v1::TracedTask allowed;
  allowed.set_withheld(true);
  allowed.set_job_id("j2");
  allowed.set_device("cpu:1");
  allowed.set_kind("FORWARD");
  allowed.set_shard(1);
  *allowed.mutable_begun() = others.begun();
  *allowed.mutable_ended() = others.ended();
  *allowed.mutable_waits() = others.waits();
  EXPECT_EQ(Sent().tasks(1).SerializeAsString(), allowed.SerializeAsString());

  others_ = Answer::kHidden;
  allowed.clear_job_id();
  allowed.clear_shard();
  const v1::TraceResponse sent = Sent();
  EXPECT_EQ(sent.tasks(1).SerializeAsString(), allowed.SerializeAsString());
  // One's own are told in full.
  EXPECT_EQ(sent.tasks(0).job_id(), "j1");
  EXPECT_EQ(sent.tasks(0).step(), 17);
  EXPECT_FALSE(sent.tasks(0).withheld());
}

TEST_F(TraceSenderTest, AJobWithoutTasksHasNoBegin) {
  Add(2, 1, 2, 5);
  const v1::TraceResponse sent = Sent();
  EXPECT_THAT(sent.tasks(), IsEmpty());
  EXPECT_THAT(sent.jobs(), SizeIs(1));
  EXPECT_FALSE(sent.has_begin());
}

TEST_F(TraceSenderTest, ManyTasksComeInPiecesAndEndWithTheReceiver) {
  for (int i = 0; i < 2 * int{TraceLog::kMostInOneGo}; ++i) {
    Add(1, 1, 10 + i, 11 + i);
  }
  EXPECT_THAT(Sent().tasks(), SizeIs(2 * TraceLog::kMostInOneGo));
  int messages = 0;
  const absl::Status ended = SendTrace(
      log_, target_, [&](const v1::TraceResponse&) { return ++messages < 2; });
  EXPECT_EQ(ended.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(messages, 2);
}

}  // namespace
}  // namespace hydra
