#include "scheduler/core/sent_contexts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hydra {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;
using ::testing::SizeIs;

TEST(SentContextsTest, AContextIsSentUntilAReportListsIt) {
  SentContexts contexts;
  uint64_t last = 10;
  EXPECT_EQ(contexts.Need(JobId(1), "a", &last), 11);
  EXPECT_FALSE(contexts.Has(JobId(1)));
  EXPECT_THAT(contexts.EndMessage(), ElementsAre(11));
  EXPECT_EQ(contexts.Need(JobId(1), "a", &last), 11);
  EXPECT_FALSE(contexts.Has(JobId(1)));
  contexts.EndMessage();
  contexts.Reported({11});
  EXPECT_TRUE(contexts.Has(JobId(1)));
  // Its worker lost it.
  contexts.Reported({});
  EXPECT_FALSE(contexts.Has(JobId(1)));
}

TEST(SentContextsTest, AnotherContentIsAnotherContext) {
  SentContexts contexts;
  uint64_t last = 0;
  contexts.Need(JobId(1), "a", &last);
  contexts.EndMessage();
  contexts.Reported({1});
  EXPECT_EQ(contexts.Need(JobId(1), "b", &last), 2);
  EXPECT_FALSE(contexts.Has(JobId(1)));
  EXPECT_THAT(contexts.EndMessage(), ElementsAre(2));
}

TEST(SentContextsTest, TheOldestOnesAreLeftOutAndComeBackAsOthers) {
  SentContexts contexts;
  uint64_t last = 0;
  for (uint64_t job = 1; job <= SentContexts::kKept + 1; ++job) {
    contexts.Need(JobId(job), "a", &last);
    const std::vector<uint64_t> named = contexts.EndMessage();
    EXPECT_THAT(named, Contains(job));
    contexts.Reported(named);
  }
  EXPECT_FALSE(contexts.Has(JobId(1)));
  EXPECT_TRUE(contexts.Has(JobId(2)));
  // An old report lists the first one.
  EXPECT_EQ(contexts.Need(JobId(1), "a", &last), SentContexts::kKept + 2);
  contexts.Reported({1});
  EXPECT_FALSE(contexts.Has(JobId(1)));
}

TEST(SentContextsTest, AMessageNamesAllThatItNeeds) {
  SentContexts contexts;
  uint64_t last = 0;
  const uint64_t many = 2 * SentContexts::kKept;
  for (uint64_t job = 1; job <= many; ++job) {
    contexts.Need(JobId(job), "a", &last);
  }
  EXPECT_THAT(contexts.EndMessage(), SizeIs(many));
  contexts.Need(JobId(many), "a", &last);
  EXPECT_THAT(contexts.EndMessage(), SizeIs(SentContexts::kKept));
}

TEST(SentContextsTest, NothingIsKnownOfANewStreamAndNoNumberComesAgain) {
  SentContexts contexts;
  uint64_t last = 0;
  contexts.Need(JobId(1), "a", &last);
  contexts.EndMessage();
  contexts.Reported({1});
  contexts.Forget();
  EXPECT_FALSE(contexts.Has(JobId(1)));
  EXPECT_EQ(contexts.Need(JobId(1), "a", &last), 2);
  EXPECT_THAT(contexts.EndMessage(), Not(Contains(1)));
}

}  // namespace
}  // namespace hydra
