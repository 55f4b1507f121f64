#include "client/commands/target.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace hydra {

absl::StatusOr<TargetKind> ParseTarget(absl::string_view id) {
  const bool has_number = id.size() > 1 && std::all_of(id.begin() + 1, id.end(),
                                                       absl::ascii_isdigit);
  if (has_number && id[0] == 'j') return TargetKind::kJob;
  if (has_number && id[0] == 's') return TargetKind::kSweep;
  return absl::InvalidArgumentError(absl::StrCat(
      "\"", id, "\" is no id; a job's is like j12, a sweep's like s3"));
}

}  // namespace hydra
