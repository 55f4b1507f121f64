#include "common/status/rpc_status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "common/jobfile/mistakes.h"
#include "common/text/printable.h"
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

// As they travel: the message percent-encoded, the details in Base64.
size_t EncodedBytes(const grpc::Status& status) {
  size_t bytes = (status.error_details().size() + 2) / 3 * 4;
  for (const char c : status.error_message()) {
    bytes += c >= ' ' && c <= '~' && c != '%' ? 1 : 3;
  }
  return bytes;
}

// Besides there are the code and the names.
constexpr size_t kMaxEncodedBytes = 7500;

bool IsUtf8(const std::string& text) {
  return Printable(text).find("\\x") == std::string::npos;
}

TEST(RpcStatusTest, TextInAnyScriptFitsAndIsCutBetweenCharacters) {
  // So that a cut would be inside of a character at some offset.
  for (const char* before : {"", "a", "aa"}) {
    std::string text = before;
    for (int i = 0; i < 3000; ++i) text += "\u6f22";
    const grpc::Status plain = ToGrpc(absl::InternalError(text));
    EXPECT_LT(EncodedBytes(plain), kMaxEncodedBytes);
    std::string shown = plain.error_message();
    shown.resize(shown.find('\n'));
    EXPECT_TRUE(IsUtf8(shown));
    EXPECT_GT(shown.size(), 400);

    Mistakes mistakes;
    AddMistake("model.path", text, &mistakes);
    AddMistake("train.seed", text, &mistakes);
    AddMistake("name", text, &mistakes);
    const grpc::Status status = ToGrpc(ToStatus(mistakes));
    EXPECT_LT(EncodedBytes(status), kMaxEncodedBytes);
    const google::rpc::BadRequest sent = BadRequestIn(status);
    ASSERT_EQ(sent.field_violations_size(), 2);
    EXPECT_EQ(sent.field_violations(0).field(), "model.path");
    EXPECT_TRUE(IsUtf8(sent.field_violations(0).description()));
    EXPECT_GT(sent.field_violations(0).description().size(), 2000);
    EXPECT_EQ(sent.field_violations(1).description(), "and 2 more mistakes");
  }
}

TEST(RpcStatusTest, ManyMistakesInAnyScriptFit) {
  Mistakes mistakes;
  for (int i = 0; i < 100; ++i) {
    AddMistake("\u00e4", i % 2 == 0 ? "\u00f6%\u00fc" : "%", &mistakes);
  }
  EXPECT_LT(EncodedBytes(ToGrpc(ToStatus(mistakes))), kMaxEncodedBytes);
}

TEST(RpcStatusTest, ALongDetailKeepsNoShortOneAway) {
  for (const char* url : {"a", "m", "z"}) {
    absl::Status status = absl::UnavailableError("away");
    status.SetPayload("long", absl::Cord(std::string(5000, 'x')));
    status.SetPayload(url, absl::Cord("short"));
    const absl::Status received = FromGrpc(ToGrpc(status));
    EXPECT_EQ(received.GetPayload(url), absl::Cord("short")) << url;
    EXPECT_FALSE(received.GetPayload("long").has_value());
  }
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
