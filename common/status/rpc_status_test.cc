#include "common/status/rpc_status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "common/jobfile/mistakes.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;

google::rpc::BadRequest BadRequestIn(const grpc::Status& status) {
  google::rpc::Status rich;
  EXPECT_TRUE(rich.ParseFromString(status.error_details()));
  EXPECT_EQ(rich.code(), static_cast<int>(status.error_code()));
  EXPECT_EQ(rich.message(), status.error_message());
  google::rpc::BadRequest mistakes;
  EXPECT_EQ(rich.details_size(), 1);
  EXPECT_TRUE(rich.details(0).UnpackTo(&mistakes));
  return mistakes;
}

TEST(RpcStatusTest, MistakesTravelAsGrpcsLibrariesExpectThem) {
  Mistakes mistakes;
  AddMistake("train.seed", "expected a whole number, found 'x'", &mistakes);
  const grpc::Status status = ToGrpc(ToStatus(mistakes));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("train.seed"));
  const google::rpc::BadRequest sent = BadRequestIn(status);
  ASSERT_EQ(sent.field_violations_size(), 1);
  EXPECT_EQ(sent.field_violations(0).field(), "train.seed");
}

TEST(RpcStatusTest, AnErrorWithoutDetailsIsAWholeStatusToo) {
  const grpc::Status status = ToGrpc(absl::NotFoundError("there is no job j9"));
  google::rpc::Status rich;
  ASSERT_TRUE(rich.ParseFromString(status.error_details()));
  EXPECT_EQ(rich.code(), 5);
  EXPECT_EQ(rich.message(), "there is no job j9");
  EXPECT_EQ(rich.details_size(), 0);
}

TEST(RpcStatusTest, ManyMistakesStillFitTheMetadataOfAClient) {
  Mistakes mistakes;
  for (int i = 0; i < 100; ++i) {
    AddMistake(absl::StrCat("field", i), std::string(200, 'x'), &mistakes);
  }
  const grpc::Status status = ToGrpc(ToStatus(mistakes));
  EXPECT_LT(status.error_message().size() + status.error_details().size(),
            7000);
  EXPECT_THAT(BadRequestIn(status).field_violations().rbegin()->description(),
              HasSubstr("more mistakes"));
}

TEST(RpcStatusTest, ComesBackAsItWas) {
  EXPECT_TRUE(FromGrpc(grpc::Status::OK).ok());
  const absl::Status plain = absl::NotFoundError("there is no job j9");
  EXPECT_EQ(FromGrpc(ToGrpc(plain)), plain);
  Mistakes mistakes;
  AddMistake("train.learning_rate", "is -1", &mistakes);
  AddMistake("model.path", "is missing", &mistakes);
  EXPECT_EQ(FromGrpc(ToGrpc(ToStatus(mistakes))), ToStatus(mistakes));
}

TEST(RpcStatusTest, UnreadableDetailsLeaveTheMessage) {
  EXPECT_EQ(FromGrpc({grpc::StatusCode::INVALID_ARGUMENT, "bad", "\xFF\xFF"}),
            absl::InvalidArgumentError("bad"));
}

}  // namespace
}  // namespace hydra
