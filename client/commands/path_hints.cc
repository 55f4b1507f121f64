#include "client/commands/path_hints.h"

#include <filesystem>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/jobfile/mistakes.h"
#include "common/jobfile/path_kind.h"
#include "common/jobfile/path_rules.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;

void AddHint(const std::string& field, const std::string& value,
             absl::string_view base_dir, PathHints* hints) {
  const PathKind kind = KindOfPath(value, absl::StartsWith(field, "model."));
  // The others are refused for what they are.
  if (kind == PathKind::kPath || IsNoPath(kind)) return;
  const fs::path path = AbsolutePath(value, base_dir);
  std::error_code ignored;
  if (fs::exists(path, ignored)) return;
  // Somebody who has a folder of that name meant it.
  if (kind == PathKind::kHubId && fs::path(value).has_parent_path() &&
      fs::exists(path.parent_path(), ignored)) {
    return;
  }
  (*hints)[field] = PathRemedy(kind, value);
}

}  // namespace

PathHints HintsOf(const JobFile& file, absl::string_view base_dir) {
  PathHints hints;
  v1::JobSpec job = file.job;
  for (const PathField& path : PathsOf(&job)) {
    AddHint(path.field, *path.value, base_dir, &hints);
  }
  for (const v1::GridAxis& axis : file.grid) {
    if (!IsPathField(axis.field())) continue;
    for (const std::string& value : axis.values()) {
      AddHint(axis.field(), value, base_dir, &hints);
    }
  }
  return hints;
}

absl::Status WithHints(const absl::Status& status, const PathHints& hints) {
  Mistakes mistakes = MistakesOf(status);
  if (mistakes.empty()) return status;
  for (Mistake& mistake : mistakes) {
    const auto hint = hints.find(mistake.field());
    if (hint == hints.end()) continue;
    absl::StrAppend(mistake.mutable_description(), "; ", hint->second);
  }
  return ToStatus(mistakes);
}

}  // namespace hydra
