#include "client/connection/rpc_status.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hydra/v1/job.pb.h"

namespace hydra {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(FromGrpcTest, KeepsCodeAndMessage) {
  EXPECT_TRUE(FromGrpc(grpc::Status::OK).ok());
  EXPECT_EQ(FromGrpc({grpc::StatusCode::NOT_FOUND, "no job j9"}),
            absl::NotFoundError("no job j9"));
}

TEST(FromGrpcTest, ListsEveryMistakeOfARefusedSubmission) {
  v1::InvalidJob invalid;
  v1::FieldViolation* first = invalid.add_violations();
  first->set_field("train.learning_rate");
  first->set_description("is -1; expected a positive number");
  v1::FieldViolation* second = invalid.add_violations();
  second->set_field("model.path");
  second->set_description("is missing");
  const absl::Status status =
      FromGrpc({grpc::StatusCode::INVALID_ARGUMENT, "2 mistakes",
                invalid.SerializeAsString()});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(
      std::string(status.message()),
      AllOf(
          HasSubstr("train.learning_rate: is -1; expected a positive number\n"),
          HasSubstr("model.path: is missing")));
}

TEST(FromGrpcTest, UnreadableDetailsLeaveTheMessage) {
  EXPECT_EQ(FromGrpc({grpc::StatusCode::INVALID_ARGUMENT, "bad", "\xFF\xFF"}),
            absl::InvalidArgumentError("bad"));
}

}  // namespace
}  // namespace hydra
