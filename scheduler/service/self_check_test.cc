#include "scheduler/service/self_check.h"

#include <gtest/gtest.h>

#include "common/file/scratch_directory.h"
#include "grpcpp/grpcpp.h"

namespace hydra {
namespace {

// Says what it was told to.
class Service final : public v1::HydraService::Service {
 public:
  grpc::Status GetServerInfo(grpc::ServerContext*,
                             const v1::GetServerInfoRequest*,
                             v1::GetServerInfoResponse*) override {
    return answer;
  }

  grpc::Status answer;
};

TEST(SelfCheckTest, AnyAnswerIsOne) {
  const ScratchDirectory scratch;
  const std::string socket = scratch.path() + "/s";
  Service service;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("unix:" + socket, grpc::InsecureServerCredentials());
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  const auto check = SelfCheck::Of(socket);
  ASSERT_TRUE(check.ok()) << check.status();
  EXPECT_TRUE((*check)->Answers(absl::Minutes(1)));
  service.answer = {grpc::StatusCode::RESOURCE_EXHAUSTED, "too many"};
  EXPECT_TRUE((*check)->Answers(absl::Minutes(1)));
  service.answer = {grpc::StatusCode::PERMISSION_DENIED, "not you"};
  EXPECT_TRUE((*check)->Answers(absl::Minutes(1)));
}

TEST(SelfCheckTest, NobodyIsNoAnswer) {
  const ScratchDirectory scratch;
  const auto check = SelfCheck::Of(scratch.path() + "/s");
  ASSERT_TRUE(check.ok()) << check.status();
  EXPECT_FALSE((*check)->Answers(absl::Milliseconds(50)));
  EXPECT_FALSE(SelfCheck::Of(scratch.path() + "/no folder/s").ok());
}

}  // namespace
}  // namespace hydra
