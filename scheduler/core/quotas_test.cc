#include "scheduler/core/quotas.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/time/time.h"
#include "common/status/error_details.h"
#include "common/status/quota_status.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr Account kAnn{1001};
constexpr Account kBob{1002};

const absl::Time kNow = absl::FromUnixSeconds(1000);

TEST(QuotasTest, WithoutLimitsEverythingGoes) {
  Quotas quotas({});
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(quotas.CheckSubmission(kAnn, 1'000'000, kNow).ok());
    quotas.NoteSubmitted(kAnn, 1'000'000, kNow);
  }
  EXPECT_TRUE(quotas.CheckRoom(kAnn, int64_t{1} << 50).ok());
}

TEST(QuotasTest, QueuedJobsAreThoseThatHaveNotEnded) {
  QuotaOptions options;
  options.each.queued_jobs = 10;
  Quotas quotas(options);
  EXPECT_TRUE(quotas.CheckSubmission(kAnn, 10, kNow).ok());
  quotas.NoteSubmitted(kAnn, 8, kNow);
  quotas.NoteOpen(kAnn);
  EXPECT_TRUE(quotas.CheckSubmission(kAnn, 1, kNow).ok());
  const absl::Status refused = quotas.CheckSubmission(kAnn, 2, kNow);
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(refused.message()),
              HasSubstr("you have 9 jobs that have not ended, and these are 2; "
                        "together you may have 10"));
  EXPECT_EQ(QuotaSubjectOf(refused), "user:1000");
  EXPECT_EQ(RetryAfter(refused), std::nullopt);
  // Another user's are others.
  EXPECT_TRUE(quotas.CheckSubmission(kBob, 10, kNow).ok());
  quotas.NoteEnded(kAnn, 1);
  EXPECT_TRUE(quotas.CheckSubmission(kAnn, 2, kNow).ok());
}

TEST(QuotasTest, SubmissionsOfTheLastMinuteCount) {
  QuotaOptions options;
  options.each.submissions_per_minute = 2;
  Quotas quotas(options);
  for (int second : {0, 20}) {
    const absl::Time now = kNow + absl::Seconds(second);
    EXPECT_TRUE(quotas.CheckSubmission(kAnn, 1, now).ok());
    quotas.NoteSubmitted(kAnn, 1, now);
  }
  const absl::Status refused =
      quotas.CheckSubmission(kAnn, 1, kNow + absl::Seconds(45));
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(RetryAfter(refused), absl::Seconds(15));
  EXPECT_TRUE(quotas.CheckSubmission(kBob, 1, kNow).ok());
  // As long as that.
  const absl::Time later = kNow + absl::Seconds(60);
  EXPECT_TRUE(quotas.CheckSubmission(kAnn, 1, later).ok());
  quotas.NoteSubmitted(kAnn, 1, later);
  EXPECT_EQ(RetryAfter(quotas.CheckSubmission(kAnn, 1, later)),
            absl::Seconds(20));
}

TEST(QuotasTest, AnAccountMayHaveItsOwn) {
  QuotaOptions options;
  options.each.queued_jobs = 1;
  options.accounts[kBob].queued_jobs = 3;
  Quotas quotas(options);
  EXPECT_FALSE(quotas.CheckSubmission(kAnn, 2, kNow).ok());
  EXPECT_TRUE(quotas.CheckSubmission(kBob, 3, kNow).ok());
}

TEST(QuotasTest, JobsInThePoolAreCountedAndWhatTheyNeed) {
  QuotaOptions options;
  options.each.admitted_jobs = 2;
  options.each.pool_bytes = 100;
  Quotas quotas(options);
  quotas.NoteAdmitted(JobId(1), kAnn, 60);
  quotas.NoteAdmitted(JobId(1), kAnn, 60);
  EXPECT_TRUE(quotas.CheckRoom(kAnn, 40).ok());
  EXPECT_THAT(std::string(quotas.CheckRoom(kAnn, 41).message()),
              HasSubstr("it needs 41 bytes of the pool, they have 60, and "
                        "together they may have 100"));
  quotas.NoteAdmitted(JobId(2), kAnn, 10);
  const absl::Status full = quotas.CheckRoom(kAnn, 1);
  EXPECT_EQ(full.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(full.message()), HasSubstr("2 are in the pool"));
  EXPECT_TRUE(quotas.CheckRoom(kBob, 100).ok());
  EXPECT_EQ(quotas.CheckRoom(kBob, 101).code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(quotas.AccountsInPool(), ElementsAre(kAnn));
  EXPECT_EQ(quotas.PoolBytesOf(kAnn), 70);
  EXPECT_EQ(quotas.PoolBytesOf(kBob), 0);
  quotas.NoteLeft(JobId(1));
  quotas.NoteLeft(JobId(1));
  EXPECT_TRUE(quotas.CheckRoom(kAnn, 90).ok());
  EXPECT_FALSE(quotas.CheckRoom(kAnn, 91).ok());
}

TEST(QuotasTest, OtherQuotasCountFromThenOn) {
  const absl::Time now = absl::FromUnixSeconds(1000);
  const Account account{7};
  Quotas quotas({});
  quotas.NoteSubmitted(account, 5, now);
  QuotaOptions options;
  options.each.queued_jobs = 5;
  quotas.SetOptions(options);
  EXPECT_TRUE(
      absl::IsResourceExhausted(quotas.CheckSubmission(account, 1, now)));
  options.accounts[account].queued_jobs = 6;
  quotas.SetOptions(options);
  EXPECT_TRUE(quotas.CheckSubmission(account, 1, now).ok());
}

}  // namespace
}  // namespace hydra
