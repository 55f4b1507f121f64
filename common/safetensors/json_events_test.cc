#include "common/safetensors/json_events.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra::safetensors {
namespace {

using testing::HasSubstr;

// Writes down what it is told; refuses the key "bad".
class Recorder : public JsonHandler {
 public:
  absl::Status OnScalar(JsonScalar value) override {
    absl::StrAppend(&log, "s", static_cast<int>(value.kind), value.text,
                    value.number == 0 ? "" : absl::StrCat(value.number), " ");
    return absl::OkStatus();
  }
  absl::Status OnBegin(JsonContainer container) override {
    absl::StrAppend(&log, container == JsonContainer::kObject ? "{ " : "[ ");
    return absl::OkStatus();
  }
  absl::Status OnKey(std::string key) override {
    if (key == "bad") return absl::AbortedError("a bad key");
    absl::StrAppend(&log, key, ": ");
    return absl::OkStatus();
  }
  absl::Status OnEnd() override {
    absl::StrAppend(&log, "end ");
    return absl::OkStatus();
  }

  std::string log;
};

absl::Status Refused(absl::string_view text) {
  Recorder recorder;
  absl::Status status = ReadJsonObject(text, /*first_byte=*/8, &recorder);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  return status;
}

TEST(ReadJsonObjectTest, TellsEverythingInOrder) {
  Recorder recorder;
  ASSERT_TRUE(
      ReadJsonObject(R"( {"a":[1,-1,1.5,null,true,"x"],"b":{}} )", 0, &recorder)
          .ok());
  EXPECT_EQ(recorder.log, "{ a: [ s21 s3 s3 s0 s1 s4x end b: { end end ");
}

TEST(ReadJsonObjectTest, TheHandlersErrorEndsTheReading) {
  Recorder recorder;
  const absl::Status status =
      ReadJsonObject(R"({"a":1,"bad":2,"c":3})", 0, &recorder);
  EXPECT_EQ(status, absl::AbortedError("a bad key"));
  EXPECT_EQ(recorder.log, "{ a: s21 ");
}

TEST(ReadJsonObjectTest, ErrorsGiveTheByteInTheFile) {
  EXPECT_EQ(Refused("[]").message(), "expected '{', found 0x5b at byte 8");
  EXPECT_EQ(Refused("  ").message(), "expected '{', found the end at byte 10");
  EXPECT_EQ(Refused("\xef\xbb\xbf{}").message(),
            "expected '{', found 0xef at byte 8");
  EXPECT_THAT(Refused("{\"a\":1,}").message(), HasSubstr("at byte 15"));
  EXPECT_THAT(
      Refused("{\"\xff\":1}").message(),
      HasSubstr("at byte 10: in the string '\"\\xff': ill-formed UTF-8 byte"));
  EXPECT_THAT(Refused(absl::string_view("{}\0", 3)).message(),
              HasSubstr("byte 10: a NUL"));
}

TEST(ReadJsonObjectTest, MessagesStayShortWhateverTheTextSays) {
  const std::string endless = "{\"" + std::string(1000000, 'x');
  EXPECT_LT(Refused(endless).message().size(), 300);
}

TEST(ReadJsonObjectTest, DepthIsLimitedWithoutReadingOn) {
  Recorder deepest;
  EXPECT_TRUE(ReadJsonObject("{\"a\":" + std::string(126, '[') +
                                 std::string(126, ']') + "}",
                             0, &deepest)
                  .ok());
  Recorder recorder;
  const absl::Status status =
      ReadJsonObject("{\"a\":" + std::string(10000, '['), 0, &recorder);
  EXPECT_THAT(status.message(), HasSubstr("deeper than the 127 levels"));
  EXPECT_LT(recorder.log.size(), 300);
}

}  // namespace
}  // namespace hydra::safetensors
