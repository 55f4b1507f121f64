#include "common/jobfile/mistakes.h"

#include "absl/strings/cord.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/optional.h"

namespace hydra {
namespace {

constexpr absl::string_view kPayloadUrl =
    "type.googleapis.com/google.rpc.BadRequest";

constexpr size_t kMaxQuotedBytes = 60;
constexpr size_t kMaxFieldBytes = 120;

// The longest beginning of `text` within `max_bytes` that splits no UTF-8
// character.
absl::string_view Clip(absl::string_view text, size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  while (max_bytes > 0 && (text[max_bytes] & 0xC0) == 0x80) --max_bytes;
  return text.substr(0, max_bytes);
}

void AppendLine(std::string* out, const Mistake& mistake) {
  if (mistake.field().empty()) {
    absl::StrAppend(out, mistake.description());
  } else {
    absl::StrAppend(out, mistake.field(), ": ", mistake.description());
  }
}

}  // namespace

bool IsFull(const Mistakes& mistakes) {
  return mistakes.size() >= kMaxMistakes;
}

void AddMistake(absl::string_view field, absl::string_view description,
                Mistakes* mistakes) {
  if (IsFull(*mistakes)) return;
  Mistake& mistake = mistakes->emplace_back();
  mistake.set_field(FieldName(field));
  mistake.set_description(std::string(description));
}

std::string FieldName(absl::string_view path) {
  const std::string printable = absl::Utf8SafeCHexEscape(path);
  return std::string(Clip(printable, kMaxFieldBytes));
}

absl::Status ToStatus(const Mistakes& mistakes, absl::string_view last_line) {
  if (mistakes.empty()) return absl::OkStatus();
  absl::Status status = absl::InvalidArgumentError(
      absl::StrCat(absl::StrJoin(mistakes, "\n", AppendLine),
                   last_line.empty() ? "" : "\n", last_line));
  google::rpc::BadRequest payload;
  payload.mutable_field_violations()->Assign(mistakes.begin(), mistakes.end());
  status.SetPayload(kPayloadUrl, absl::Cord(payload.SerializeAsString()));
  return status;
}

Mistakes MistakesOf(const absl::Status& status) {
  absl::optional<absl::Cord> bytes = status.GetPayload(kPayloadUrl);
  google::rpc::BadRequest payload;
  if (!bytes.has_value() || !payload.ParseFromString(std::string(*bytes))) {
    return {};
  }
  return Mistakes(payload.field_violations().begin(),
                  payload.field_violations().end());
}

std::string Quoted(absl::string_view text) {
  const absl::string_view shown = Clip(text, kMaxQuotedBytes);
  return absl::StrCat("'", absl::Utf8SafeCHexEscape(shown),
                      shown.size() < text.size() ? "..." : "", "'");
}

}  // namespace hydra
