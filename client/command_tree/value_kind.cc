#include "client/command_tree/value_kind.h"

#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace hydra {

ValueKind KindOf(const CommandOption& option) {
  if (!option.choices.empty()) return ValueKind::kChoice;
  for (const absl::string_view word : absl::StrSplit(option.value, '|')) {
    if (word == "FILE" || word == "PATH" || word == "JOB.yaml") {
      return ValueKind::kFile;
    }
    if (word == "DIR") return ValueKind::kDirectory;
    if (word == "JOB") return ValueKind::kJob;
  }
  return ValueKind::kNothing;
}

}  // namespace hydra
