#include "scheduler/service/grpc_status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "common/jobfile/mistakes.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;

TEST(ToGrpcTest, KeepsCodeMessageAndMistakes) {
  Mistakes mistakes;
  AddMistake("train.seed", "expected a whole number, found 'x'", &mistakes);
  const grpc::Status status = ToGrpc(ToStatus(mistakes));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("train.seed"));
  hydra::v1::InvalidJob invalid;
  ASSERT_TRUE(invalid.ParseFromString(status.error_details()));
  ASSERT_EQ(invalid.violations_size(), 1);
  EXPECT_EQ(invalid.violations(0).field(), "train.seed");
}

TEST(ToGrpcTest, ManyMistakesStillFitTheMetadataOfAClient) {
  Mistakes mistakes;
  for (int i = 0; i < 100; ++i) {
    AddMistake(absl::StrCat("field", i), std::string(200, 'x'), &mistakes);
  }
  const grpc::Status status = ToGrpc(ToStatus(mistakes));
  EXPECT_LT(status.error_message().size() + status.error_details().size(),
            7000);
  hydra::v1::InvalidJob invalid;
  ASSERT_TRUE(invalid.ParseFromString(status.error_details()));
  EXPECT_THAT(invalid.violations().rbegin()->description(),
              HasSubstr("more mistakes"));
}

}  // namespace
}  // namespace hydra
