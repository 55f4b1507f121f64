#include "scheduler/core/change_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hydra {
namespace {

using ::testing::ElementsAre;

TEST(ChangeLogTest, GivesEachJobOnceAndTheOldestChangeFirst) {
  ChangeLog log;
  for (int job : {3, 1, 3, 2, 1}) log.Note(JobId(job));
  EXPECT_THAT(log.Take(2), ElementsAre(JobId(3), JobId(1)));
  // It changed again after it was taken.
  log.Note(JobId(3));
  EXPECT_THAT(log.Take(10), ElementsAre(JobId(2), JobId(3)));
  EXPECT_TRUE(log.empty());
}

TEST(ChangeLogTest, TellsWhenAllThatWasNotedBeforeIsTaken) {
  ChangeLog log;
  log.Note(JobId(1));
  log.Note(JobId(2));
  log.Note(JobId(1));
  const uint64_t noted = log.noted();
  log.Note(JobId(3));
  log.Take(1);
  EXPECT_LT(log.taken(), noted);
  log.Take(1);
  EXPECT_EQ(log.taken(), noted);
}

}  // namespace
}  // namespace hydra
