#include "client/commands/target.h"

#include <algorithm>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/jobfile/mistakes.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

bool IsNumber(absl::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

std::optional<TargetKind> KindOf(absl::string_view id) {
  if (id.size() < 2 || !IsNumber(id.substr(1)) || id[1] == '0') {
    return std::nullopt;
  }
  if (id[0] == 'j') return TargetKind::kJob;
  if (id[0] == 's') return TargetKind::kSweep;
  return std::nullopt;
}

// The remedy for an id that is none.
std::string Hint(absl::string_view id) {
  if (id.find(',') != id.npos) return "; ids are separated by blanks";
  std::string meant = absl::AsciiStrToLower(absl::StripAsciiWhitespace(id));
  if (IsNumber(meant)) return absl::StrCat("; did you mean j", meant, "?");
  while (meant.size() > 2 && meant[1] == '0') meant.erase(1, 1);
  if (!KindOf(meant).has_value()) return "";
  return absl::StrCat("; did you mean ", meant, "?");
}

}  // namespace

absl::StatusOr<TargetKind> ParseTarget(absl::string_view id) {
  const std::optional<TargetKind> kind = KindOf(id);
  if (kind.has_value()) return *kind;
  return absl::InvalidArgumentError(
      absl::StrCat(Quoted(id),
                   " is no id; a job's is like j12, a sweep's like "
                   "s3",
                   Hint(id)));
}

absl::Status WantJob(absl::string_view id) {
  const absl::StatusOr<TargetKind> kind = ParseTarget(id);
  if (!kind.ok()) return kind.status();
  if (*kind == TargetKind::kJob) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      id, " is a sweep, and this takes a job; hydra list --sweep ", id,
      " shows the sweep's jobs, hydra results ", id, " ranks them"));
}

absl::Status WantSweep(absl::string_view id) {
  const absl::StatusOr<TargetKind> kind = ParseTarget(id);
  if (!kind.ok()) return kind.status();
  if (*kind == TargetKind::kSweep) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(id, " is a job, and this takes a sweep; hydra describe ", id,
                   " shows the job and names its sweep"));
}

}  // namespace hydra
