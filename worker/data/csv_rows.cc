#include "worker/data/csv_rows.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "worker/data/json_rows.h"

namespace hydra {
namespace {

constexpr absl::string_view kByteOrderMark = "\xef\xbb\xbf";

}  // namespace

absl::Status CsvReader::Add(absl::string_view piece, Take take) {
  for (char character : piece) {
    if (!has_begun_) {
      if (character == kByteOrderMark[mark_bytes_]) {
        has_begun_ = ++mark_bytes_ == static_cast<int>(kByteOrderMark.size());
        continue;
      }
      // It was none.
      has_begun_ = true;
      for (char other : kByteOrderMark.substr(0, mark_bytes_)) {
        const absl::Status added = AddCharacter(other, take);
        if (!added.ok()) return added;
      }
    }
    const absl::Status added = AddCharacter(character, take);
    if (!added.ok()) return added;
  }
  return absl::OkStatus();
}

absl::Status CsvReader::Finish(Take take) {
  if (place_ == Place::kQuoted) {
    return absl::InvalidArgumentError("has a quote that does not end");
  }
  return EndRow(take);
}

absl::Status CsvReader::AddCharacter(char character, Take take) {
  if (bytes_ == 0) row_line_ = line_;
  if (++bytes_ > kMaxRowBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("has more than ", kMaxRowBytes, " bytes"));
  }
  if (character == '\n') ++line_;
  if (place_ == Place::kQuoted) {
    if (character == '"') {
      place_ = Place::kQuoteInQuoted;
    } else {
      field_.push_back(character);
    }
    return absl::OkStatus();
  }
  if (place_ == Place::kReturn && character != '\n') {
    return absl::InvalidArgumentError(
        "has a carriage return that no line feed follows, outside of quotes");
  }
  switch (character) {
    case '"':
      if (place_ == Place::kPlain) {
        return absl::InvalidArgumentError(
            "has a quote inside of a field that does not begin with one");
      }
      // The second one of two inside of quotes is meant.
      if (place_ == Place::kQuoteInQuoted) field_.push_back('"');
      place_ = Place::kQuoted;
      return absl::OkStatus();
    case ',':
      // The row has another one behind the comma.
      if (fields_.size() + 2 > most_fields_) {
        return absl::InvalidArgumentError(
            absl::StrCat("has more than ", most_fields_, " fields",
                         has_row_ ? ", which the first row has" : ""));
      }
      EndField();
      return absl::OkStatus();
    case '\r':
      place_ =
          place_ == Place::kQuoteInQuoted || !field_.empty() || !fields_.empty()
              ? Place::kReturn
              : Place::kFieldStart;
      return absl::OkStatus();
    case '\n':
      return EndRow(take);
    default:
      if (place_ == Place::kQuoteInQuoted) {
        return absl::InvalidArgumentError(
            "has more behind the quote that ends a field");
      }
      field_.push_back(character);
      place_ = Place::kPlain;
      return absl::OkStatus();
  }
}

void CsvReader::EndField() {
  fields_.push_back(std::move(field_));
  field_.clear();
  place_ = Place::kFieldStart;
}

absl::Status CsvReader::EndRow(Take take) {
  bytes_ = 0;
  const bool is_empty_line =
      fields_.empty() && field_.empty() && place_ == Place::kFieldStart;
  if (is_empty_line) return absl::OkStatus();
  EndField();
  const std::vector<std::string> fields = std::exchange(fields_, {});
  if (!std::exchange(has_row_, true)) most_fields_ = fields.size();
  return take(fields);
}

}  // namespace hydra
