#include "common/safetensors/json_events.h"

#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/json/json_mistake.h"
#include "nlohmann/json.hpp"

namespace hydra::safetensors {
namespace {

using Json = nlohmann::json;

// What serde_json, and so the reference reader of safetensors, allows.
constexpr int kMaxDepth = 127;

// Adapts the library's events to a JsonHandler; bounds the depth.
class Sax : public nlohmann::json_sax<Json> {
 public:
  Sax(int64_t first_byte, JsonHandler* handler)
      : first_byte_(first_byte), handler_(handler) {}

  const absl::Status& status() const { return status_; }

  bool null() override { return Scalar({JsonScalar::Kind::kNull}); }
  bool boolean(bool) override { return Scalar({JsonScalar::Kind::kBool}); }
  bool number_integer(number_integer_t) override {
    return Scalar({JsonScalar::Kind::kOtherNumber});
  }
  bool number_unsigned(number_unsigned_t number) override {
    return Scalar({JsonScalar::Kind::kUnsigned, number});
  }
  bool number_float(number_float_t, const string_t&) override {
    return Scalar({JsonScalar::Kind::kOtherNumber});
  }
  bool string(string_t& text) override {
    return Scalar({JsonScalar::Kind::kString, 0, std::move(text)});
  }
  bool binary(binary_t&) override {
    return Keep(absl::InternalError("JSON text has no binary values"));
  }
  bool start_object(size_t) override { return Begin(JsonContainer::kObject); }
  bool start_array(size_t) override { return Begin(JsonContainer::kArray); }
  bool key(string_t& key) override {
    return Keep(handler_->OnKey(std::move(key)));
  }
  bool end_object() override { return End(); }
  bool end_array() override { return End(); }

  bool parse_error(size_t bytes_read, const std::string&,
                   const Json::exception& error) override {
    return Keep(absl::InvalidArgumentError(absl::StrCat(
        "bad JSON at byte ", first_byte_ + static_cast<int64_t>(bytes_read) - 1,
        ": ", JsonMistake(error.what()))));
  }

 private:
  bool Keep(absl::Status status) {
    status_ = std::move(status);
    return status_.ok();
  }

  bool Scalar(JsonScalar value) {
    return Keep(handler_->OnScalar(std::move(value)));
  }

  bool Begin(JsonContainer container) {
    if (++depth_ > kMaxDepth) {
      return Keep(absl::InvalidArgumentError(absl::StrCat(
          "JSON is nested deeper than the ", kMaxDepth, " levels allowed")));
    }
    return Keep(handler_->OnBegin(container));
  }

  bool End() {
    --depth_;
    return Keep(handler_->OnEnd());
  }

  const int64_t first_byte_;
  JsonHandler* const handler_;
  int depth_ = 0;
  absl::Status status_;
};

// The library skips a byte order mark before the text, and takes a NUL outside
// of strings for the end of it. Neither is JSON.
absl::Status CheckWhatTheLibraryLetsPass(absl::string_view text,
                                         int64_t first_byte) {
  const size_t begin = text.find_first_not_of(" \t\n\r");
  if (begin == text.npos) {
    return absl::InvalidArgumentError(absl::StrCat(
        "expected '{', found the end at byte ", first_byte + text.size()));
  }
  if (text[begin] != '{') {
    return absl::InvalidArgumentError(absl::StrFormat(
        "expected '{', found 0x%02x at byte %d",
        static_cast<unsigned char>(text[begin]), first_byte + begin));
  }
  const size_t nul = text.find('\0');
  if (nul != text.npos) {
    return absl::InvalidArgumentError(
        absl::StrCat("bad JSON at byte ", first_byte + nul, ": a NUL"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ReadJsonObject(absl::string_view text, int64_t first_byte,
                            JsonHandler* handler) {
  absl::Status status = CheckWhatTheLibraryLetsPass(text, first_byte);
  if (!status.ok()) return status;
  Sax sax(first_byte, handler);
  Json::sax_parse(text.begin(), text.end(), &sax);
  return sax.status();
}

}  // namespace hydra::safetensors
