#include "scheduler/notify/notice_finder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "scheduler/runtime/testing/read_model_fixture.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

class NoticeFinderTest : public ReadModelFixture {
 protected:
  // Each as its event's name and the job's id.
  static std::vector<std::pair<std::string, std::string>> Found(
      NoticeFinder& finder) {
    std::vector<std::pair<std::string, std::string>> found;
    for (const Notice& notice : finder.Find()) {
      found.emplace_back(NameOf(notice.event), notice.job.job_id());
    }
    return found;
  }
};

TEST_F(NoticeFinderTest, AJobThatEndsIsToldOnceAndThenItsSweep) {
  NoticeFinder finder(&model_);
  Submit(3);
  ExplainWaits();
  EXPECT_THAT(Found(finder), IsEmpty());
  Cancel({JobId(2)});
  EXPECT_THAT(Found(finder), ElementsAre(Pair("cancelled", "j2")));
  ExplainWaits();
  EXPECT_THAT(Found(finder), IsEmpty());
  Cancel({JobId(1), JobId(3)});
  const std::vector<Notice> last = finder.Find();
  ASSERT_THAT(last, SizeIs(3));
  EXPECT_EQ(last[2].event, Notice::Event::kSweepEnded);
  EXPECT_EQ(last[2].job.sweep_id(), "s1");
  EXPECT_EQ(last[2].cancelled, 3);
  EXPECT_EQ(last[2].completed, 0);
  EXPECT_EQ(last[2].failed, 0);
  EXPECT_THAT(Found(finder), IsEmpty());
}

TEST_F(NoticeFinderTest, OneThatComesAndGoesBetweenTwoLooksIsTold) {
  NoticeFinder finder(&model_);
  Submit(1);
  Cancel({JobId(1)});
  EXPECT_THAT(Found(finder),
              ElementsAre(Pair("cancelled", "j1"), Pair("sweep_ended", "j1")));
}

TEST_F(NoticeFinderTest, WhatHappenedBeforeIsNotTold) {
  Submit(2);
  Cancel({JobId(1)});
  NoticeFinder finder(&model_);
  EXPECT_THAT(Found(finder), IsEmpty());
  // But it counts.
  Cancel({JobId(2)});
  const std::vector<Notice> found = finder.Find();
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[1].cancelled, 2);
}

TEST_F(NoticeFinderTest, WhatHappenedAsTheDaemonStartedIsTold) {
  Submit(3);
  Cancel({JobId(1), JobId(2)});
  NoticeFinder finder(&model_, {JobId(2), JobId(3)});
  EXPECT_THAT(Found(finder), ElementsAre(Pair("cancelled", "j2")));
  Cancel({JobId(3)});
  EXPECT_THAT(Found(finder),
              ElementsAre(Pair("cancelled", "j3"), Pair("sweep_ended", "j3")));
}

TEST_F(NoticeFinderTest, MoreThanOneLookTakesAreAllToldAndTheSweepOnce) {
  const int jobs = static_cast<int>(ReadModel::kMostEntries) + 10;
  NoticeFinder finder(&model_);
  Submit(jobs);
  std::vector<JobId> all;
  for (int i = 1; i <= jobs; ++i) all.push_back(JobId(i));
  Cancel(all);
  const std::vector<Notice> found = finder.Find();
  ASSERT_THAT(found, SizeIs(jobs + 1));
  EXPECT_EQ(found.back().event, Notice::Event::kSweepEnded);
  EXPECT_EQ(found.back().cancelled, jobs);
}

TEST(EventOfTest, APauseIsToldIfTheServerMadeIt) {
  ReadModel::Entry entry;
  entry.state = v1::JOB_STATE_PAUSED;
  EXPECT_EQ(EventOf(entry), std::nullopt);
  entry.is_held = true;
  EXPECT_EQ(EventOf(entry), Notice::Event::kPaused);
  entry.state = v1::JOB_STATE_RUNNING;
  EXPECT_EQ(EventOf(entry), std::nullopt);
}

}  // namespace
}  // namespace hydra
