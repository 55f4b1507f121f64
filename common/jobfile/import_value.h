#ifndef HYDRA_COMMON_JOBFILE_IMPORT_VALUE_H_
#define HYDRA_COMMON_JOBFILE_IMPORT_VALUE_H_

#include <string>

#include "absl/strings/string_view.h"
#include "common/jobfile/yaml_tree.h"

// Values as other tools write them. Pure.
namespace hydra {

// null, an empty text, list or section.
bool IsNothing(const YamlNode& node);

// The quoted text; of what is no scalar, its kind.
std::string Shown(const YamlNode& node);

// In lower case, and `true` and `false` for what YAML 1.1, which other tools
// read, takes for them.
std::string WithoutSynonyms(absl::string_view text);

// As numbers, where both are, else as texts.
bool IsSame(absl::string_view word, absl::string_view other);

// Whether `value` is a scalar that is one of the words between the '|' of
// `same`.
bool IsOneOf(absl::string_view same, const YamlNode& value);

}  // namespace hydra

#endif  // HYDRA_COMMON_JOBFILE_IMPORT_VALUE_H_
