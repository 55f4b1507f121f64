#ifndef HYDRA_COMMON_JOBFILE_YAML_TREE_H_
#define HYDRA_COMMON_JOBFILE_YAML_TREE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hydra {

struct YamlEntry;

// One node of a YAML document, as written: scalars stay text, and a key that is
// given twice is there twice. A plain value.
struct YamlNode {
  enum class Kind { kNull, kScalar, kSequence, kMap };

  Kind kind = Kind::kNull;
  // Where the node begins, counted from 1.
  int line = 1;
  std::string text;                // kScalar
  std::vector<YamlNode> items;     // kSequence
  std::vector<YamlEntry> entries;  // kMap
};

struct YamlEntry {
  std::string key;
  // The line of the key.
  int line = 1;
  YamlNode value;
};

inline constexpr int kMaxYamlBytes = 1 << 20;
inline constexpr int kMaxYamlNesting = 32;

// Reads a file of one YAML document; an empty one is kNull. This is the only
// place that knows yaml-cpp.
//
// Pure. Time and memory grow with the size of `text` alone, whatever is in it:
// files beyond kMaxYamlBytes, nesting beyond kMaxYamlNesting, anchors, aliases
// and tags are refused. An empty document may follow.
//
// INVALID_ARGUMENT: also for text that is not UTF-8, holds control characters,
//   is not YAML, or has blanks and quotes that only look like those of YAML.
//   The message begins with the line and column of the mistake.
absl::StatusOr<YamlNode> ParseYaml(absl::string_view text);

}  // namespace hydra

#endif  // HYDRA_COMMON_JOBFILE_YAML_TREE_H_
