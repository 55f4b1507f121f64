#include "common/jobfile/mistakes.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "absl/types/optional.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

constexpr absl::string_view kPayloadUrl =
    "type.googleapis.com/google.rpc.BadRequest";
constexpr absl::string_view kMorePrefix = "and ";
constexpr absl::string_view kMoreOne = " more mistake";
constexpr absl::string_view kMoreMany = " more mistakes";

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

Mistake MoreMistakes(size_t count) {
  Mistake more;
  more.set_description(
      absl::StrCat(kMorePrefix, count, count == 1 ? kMoreOne : kMoreMany));
  return more;
}

bool IsMoreMistakes(const Mistake& mistake) {
  absl::string_view count = mistake.description();
  return mistake.field().empty() && absl::ConsumePrefix(&count, kMorePrefix) &&
         (absl::ConsumeSuffix(&count, kMoreOne) ||
          absl::ConsumeSuffix(&count, kMoreMany)) &&
         !count.empty() &&
         std::all_of(count.begin(), count.end(), absl::ascii_isdigit);
}

std::string FieldName(absl::string_view path) { return PrintableStart(path); }

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

absl::Status WrongField(absl::string_view field,
                        absl::string_view description) {
  Mistakes mistakes;
  AddMistake(field, description, &mistakes);
  return ToStatus(mistakes);
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

}  // namespace hydra
