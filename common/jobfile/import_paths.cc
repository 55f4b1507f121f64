#include "common/jobfile/import_paths.h"

#include "absl/strings/match.h"
#include "common/jobfile/path_kind.h"
#include "common/jobfile/path_rules.h"

namespace hydra {

std::string WhyNoPath(const std::string& text, bool may_be_model,
                      const ImportOptions& options) {
  const PathKind kind = KindOfPath(text, may_be_model);
  if (kind == PathKind::kPath) return "";
  const std::string path = AbsolutePath(text, options.base_dir);
  if (!IsNoPath(kind) && options.exists(path)) return "";
  // Somebody who has a folder of that name meant it.
  const bool has_folder = kind == PathKind::kHubId &&
                          absl::StrContains(text, '/') &&
                          options.exists(path.substr(0, path.rfind('/')));
  return has_folder ? "" : PathRemedy(kind, text);
}

std::string WrittenPath(const std::string& text, const ImportOptions& options) {
  return options.keep_relative ? text : AbsolutePath(text, options.base_dir);
}

}  // namespace hydra
