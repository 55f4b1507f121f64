#include "common/status/error_details.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/status/rpc_status.h"
#include "google/rpc/error_details.pb.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;

TEST(ErrorDetailsTest, AReasonGoesWithAnErrorAcrossGrpc) {
  const absl::Status status =
      WithReason(absl::NotFoundError("there is no job j9"), kJobNotFound);
  EXPECT_EQ(ReasonOf(status), "JOB_NOT_FOUND");
  const absl::Status received = FromGrpc(ToGrpc(status));
  EXPECT_EQ(received, status);
  EXPECT_EQ(ReasonOf(received), "JOB_NOT_FOUND");
  EXPECT_EQ(RetryAfter(received), std::nullopt);
}

TEST(ErrorDetailsTest, SoDoesWhenToTryAgain) {
  const absl::Status status =
      WithRetry(WithReason(absl::UnavailableError("soon"), kNotServing),
                absl::Milliseconds(1500));
  const absl::Status received = FromGrpc(ToGrpc(status));
  EXPECT_EQ(RetryAfter(received), absl::Milliseconds(1500));
  EXPECT_EQ(ReasonOf(received), "NOT_SERVING");
}

TEST(ErrorDetailsTest, ErrorsWithoutThemSayNothing) {
  EXPECT_EQ(ReasonOf(absl::NotFoundError("")), "");
  EXPECT_EQ(RetryAfter(absl::UnavailableError("")), std::nullopt);
  EXPECT_EQ(ReasonOf(absl::OkStatus()), "");
  // The word of another system is none of Hydra's.
  google::rpc::ErrorInfo info;
  info.set_domain("example.com");
  info.set_reason("JOB_NOT_FOUND");
  absl::Status others = absl::NotFoundError("");
  others.SetPayload("type.googleapis.com/google.rpc.ErrorInfo",
                    absl::Cord(info.SerializeAsString()));
  EXPECT_EQ(ReasonOf(others), "");
}

TEST(ErrorDetailsTest, TheDocumentationNamesEveryReason) {
  std::ifstream file("docs/api.md");
  const std::string text((std::istreambuf_iterator<char>(file)),
                         std::istreambuf_iterator<char>());
  for (absl::string_view reason :
       {kCannotRecord, kJobNotFound, kNoModel, kNotServing, kRequestIdReused,
        kSweepNotFound, kTooManyCalls}) {
    EXPECT_THAT(text, HasSubstr(absl::StrCat("`", reason, "`")));
  }
}

}  // namespace
}  // namespace hydra
