#include "worker/data/json_rows.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/json/json_mistake.h"
#include "common/json/python_json.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

using Json = nlohmann::json;

constexpr size_t kMostNamedKeys = 5;

// Keeps one text of a row, and drops all else as it comes: as a whole, a row's
// value would take many times its bytes.
class FieldReader : public nlohmann::json_sax<Json> {
 public:
  explicit FieldReader(const std::string& field) : field_(field) {}

  bool null() override { return Found("null"); }
  bool boolean(bool) override { return Found("a boolean"); }
  bool number_integer(int64_t) override { return Found("a number"); }
  bool number_unsigned(uint64_t) override { return Found("a number"); }
  bool number_float(double, const std::string&) override {
    return Found("a number");
  }
  bool binary(Json::binary_t&) override { return Found("binary"); }
  bool string(std::string& text) override {
    if (!Found("a text")) return false;
    if (IsAtField()) text_ = std::move(text);
    return true;
  }
  bool start_object(size_t) override {
    return (depth_ == 0 || Found("an object")) && Enter();
  }
  bool start_array(size_t) override { return Found("an array") && Enter(); }
  bool end_object() override { return Leave(); }
  bool end_array() override { return Leave(); }
  bool key(std::string& key) override {
    if (depth_ > 1) return true;
    is_at_field_ = key == field_;
    if (keys_.size() <= kMostNamedKeys) keys_.push_back(Quoted(key));
    return true;
  }
  bool parse_error(size_t position, const std::string&,
                   const Json::exception& error) override {
    return Stop(absl::StrCat("is no JSON at its byte ", position, ": ",
                             JsonMistake(error.what())));
  }

  // Once all of the row was read.
  absl::StatusOr<std::string> Result() {
    if (!mistake_.empty()) return absl::InvalidArgumentError(mistake_);
    if (text_.has_value()) return *std::move(text_);
    if (!found_.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat(Quoted(field_), ": expected a text, found ", found_));
    }
    if (keys_.size() > kMostNamedKeys) keys_.back() = "...";
    return absl::InvalidArgumentError(absl::StrCat(
        "has no ", Quoted(field_), ", which data.text_field names; it has ",
        keys_.empty() ? "no fields" : absl::StrJoin(keys_, ", ")));
  }

 private:
  bool IsAtField() const { return depth_ == 1 && is_at_field_; }

  bool Stop(std::string mistake) {
    mistake_ = std::move(mistake);
    return false;
  }

  // A value begins. Of fields that stand twice the last one counts, as Python
  // has it.
  bool Found(absl::string_view what) {
    if (depth_ == 0) {
      return Stop(absl::StrCat("is no object, but ", what));
    }
    if (IsAtField()) {
      found_ = std::string(what);
      text_.reset();
    }
    return true;
  }

  bool Enter() {
    if (++depth_ <= kMaxJsonDepth) return true;
    return Stop(absl::StrCat("has values inside of each other, more than ",
                             kMaxJsonDepth, " deep"));
  }
  bool Leave() {
    --depth_;
    return true;
  }

  const std::string& field_;
  int depth_ = 0;
  bool is_at_field_ = false;
  std::optional<std::string> text_;
  // What the field has, if it is there.
  std::string found_;
  std::vector<std::string> keys_;
  std::string mistake_;
};

}  // namespace

absl::StatusOr<std::string> TextOfRow(absl::string_view row,
                                      const std::string& field) {
  FieldReader reader(field);
  Json::sax_parse(row.begin(), row.end(), &reader);
  return reader.Result();
}

absl::Status RowReader::Add(absl::string_view piece, Take take) {
  const size_t end = piece.rfind('\n');
  Keep(piece);
  if (end == absl::string_view::npos) {
    if (kept_bytes() <= kMaxRowBytes) return absl::OkStatus();
    ++line_;
    return absl::InvalidArgumentError(
        absl::StrCat("has more than ", kMaxRowBytes, " bytes"));
  }
  const size_t complete = kept_.size() - (piece.size() - end) + 1;
  absl::string_view lines = absl::string_view(kept_).substr(0, complete);
  while (!lines.empty()) {
    const size_t length = lines.find('\n');
    const absl::Status taken = TakeLine(lines.substr(0, length), take);
    if (!taken.ok()) return taken;
    lines.remove_prefix(length + 1);
  }
  kept_.erase(0, complete);
  return absl::OkStatus();
}

void RowReader::Keep(absl::string_view piece) {
  kept_.append(piece.data(), piece.size());
}

absl::Status RowReader::Finish(Take take) {
  const std::string line = std::move(kept_);
  kept_.clear();
  return line.empty() ? absl::OkStatus() : TakeLine(line, take);
}

absl::Status RowReader::TakeLine(absl::string_view line, Take take) {
  ++line_;
  if (static_cast<int64_t>(line.size()) > kMaxRowBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("has more than ", kMaxRowBytes, " bytes"));
  }
  line = absl::StripAsciiWhitespace(line);
  return line.empty() ? absl::OkStatus() : take(line);
}

}  // namespace hydra
