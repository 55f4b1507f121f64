#include "common/status/quota_status.h"

#include <gtest/gtest.h>

#include "absl/time/time.h"
#include "common/status/error_details.h"
#include "common/status/rpc_status.h"

namespace hydra {
namespace {

TEST(QuotaStatusTest, SaysWhoseQuotaAndWhenToTryAgain) {
  const absl::Status status =
      QuotaExceeded("user:1000", "12 of 10", absl::Seconds(7));
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(status.message(), "12 of 10");
  EXPECT_EQ(QuotaSubjectOf(status), "user:1000");
  EXPECT_EQ(RetryAfter(status), absl::Seconds(7));
}

TEST(QuotaStatusTest, WhereTryingAgainDoesNotHelpNothingIsSaidOfIt) {
  const absl::Status status = QuotaExceeded("user:1", "full", std::nullopt);
  EXPECT_EQ(QuotaSubjectOf(status), "user:1");
  EXPECT_EQ(RetryAfter(status), std::nullopt);
  EXPECT_EQ(QuotaSubjectOf(absl::InternalError("no quota")), "");
  EXPECT_EQ(RetryAfter(absl::OkStatus()), std::nullopt);
}

TEST(QuotaStatusTest, BothReachTheClient) {
  const absl::Status status =
      FromGrpc(ToGrpc(QuotaExceeded("user:2", "late", absl::Seconds(3))));
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(status.message(), "late");
  EXPECT_EQ(QuotaSubjectOf(status), "user:2");
  EXPECT_EQ(RetryAfter(status), absl::Seconds(3));
}

}  // namespace
}  // namespace hydra
