#ifndef HYDRA_COMMON_JOBFILE_PATH_KIND_H_
#define HYDRA_COMMON_JOBFILE_PATH_KIND_H_

#include <string>

#include "absl/strings/string_view.h"

// Values that stand where a path belongs, and are something else. Pure: nobody
// looks at the disk.
namespace hydra {

enum class PathKind {
  kPath,
  // "~/x", "$X/y", "s3://x/y", "C:\x": no relative path, whatever is on the
  // disk.
  kHome,
  kVariable,
  kUrl,
  kWindows,
  // "x/*.txt", "org/name", "a/$X": paths too, if there is such a file.
  kPattern,
  kHubId,
  kInnerVariable,
};

// What `value` is. Only with `is_model` may it be the id of a model of the
// Hugging Face hub.
PathKind KindOfPath(absl::string_view value, bool is_model);

// Whether a value of this kind never is a relative path.
bool IsNoPath(PathKind kind);

// A clause on what to write instead; empty for kPath.
std::string PathRemedy(PathKind kind, absl::string_view value);

}  // namespace hydra

#endif  // HYDRA_COMMON_JOBFILE_PATH_KIND_H_
