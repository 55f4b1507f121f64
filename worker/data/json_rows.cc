#include "worker/data/json_rows.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/text/printable.h"
#include "worker/data/row_check.h"

namespace hydra {
namespace {

using Json = nlohmann::json;

// Keeps one text of a row, and drops all else as it comes: as a whole, a row's
// value would take many times its bytes.
class FieldReader : public RowCheck<Json> {
 public:
  explicit FieldReader(const std::string& field) : field_(field) {}

  // Once all of the row was read.
  absl::StatusOr<std::string> Result() {
    if (!mistake().empty()) return absl::InvalidArgumentError(mistake());
    if (text_.has_value()) return *std::move(text_);
    if (!found_.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat(Quoted(field_), ": expected a text, found ", found_));
    }
    return absl::InvalidArgumentError(
        absl::StrCat("has no ", Quoted(field_),
                     ", which data.text_field names; it has ", Keys()));
  }

 private:
  // Of fields that stand twice the last one counts, as Python has it.
  void FieldIsNamed(const std::string& name) override {
    is_at_field_ = name == field_;
  }
  void FieldHas(absl::string_view what) override {
    if (!is_at_field_) return;
    found_ = std::string(what);
    text_.reset();
  }
  void FieldHasText(std::string& text) override {
    if (is_at_field_) text_ = std::move(text);
  }

  const std::string& field_;
  bool is_at_field_ = false;
  std::optional<std::string> text_;
  // What the field has, if it is there.
  std::string found_;
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
