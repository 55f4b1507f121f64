#include "worker/data/json_rows.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

using Json = nlohmann::json;

constexpr size_t kMostNamedKeys = 5;

absl::Status MissingField(const Json& row, const std::string& field) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : row.items()) {
    if (keys.size() == kMostNamedKeys) {
      keys.push_back("...");
      break;
    }
    keys.push_back(Quoted(key));
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "has no ", Quoted(field), ", which data.text_field names; it has ",
      keys.empty() ? "no fields" : absl::StrJoin(keys, ", ")));
}

}  // namespace

absl::StatusOr<std::string> TextOfRow(absl::string_view row,
                                      const std::string& field) {
  Json parsed;
  try {
    parsed = Json::parse(row.begin(), row.end());
  } catch (const Json::parse_error& error) {
    return absl::InvalidArgumentError(
        absl::StrCat("is no JSON, as its byte ", error.byte, " shows"));
  }
  if (!parsed.is_object()) {
    return absl::InvalidArgumentError(
        absl::StrCat("is no object, but ", parsed.type_name()));
  }
  const auto found = parsed.find(field);
  if (found == parsed.end()) return MissingField(parsed, field);
  if (!found->is_string()) {
    return absl::InvalidArgumentError(absl::StrCat(
        Quoted(field), ": expected a text, found ", found->type_name()));
  }
  return std::move(found->get_ref<std::string&>());
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
  line = absl::StripAsciiWhitespace(line);
  return line.empty() ? absl::OkStatus() : take(line);
}

}  // namespace hydra
