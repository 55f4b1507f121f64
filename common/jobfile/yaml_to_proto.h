#ifndef HYDRA_COMMON_JOBFILE_YAML_TO_PROTO_H_
#define HYDRA_COMMON_JOBFILE_YAML_TO_PROTO_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/jobfile/mistakes.h"
#include "common/jobfile/suggest.h"
#include "common/jobfile/yaml_tree.h"
#include "google/protobuf/message.h"

namespace hydra {

// Fills `message` from a YAML map whose keys are its fields' names; values are
// written as field_value.h says. A repeated field takes a list, or one value
// alone. Keys that are absent, and sections that are empty, change nothing.
//
// Every mistake is added to `mistakes`, with its field's path and, first in the
// description, its line: unknown keys (with the one that was probably meant;
// `aliases` helps to guess), keys given twice, and values of the wrong kind.
// `other_top_keys` are known at the top level too: the caller has taken them
// out. After a mistake the rest is still read, and `message` holds what was
// right; in a list a value that is wrong is 0, or empty text, so that the
// others keep their numbers.
//
// Pure.
void YamlToProto(const YamlNode& root, Aliases aliases,
                 google::protobuf::Message* message, Mistakes* mistakes,
                 absl::Span<const absl::string_view> other_top_keys = {});

// "line 3: `description`"
std::string AtLine(int line, absl::string_view description);

// "a list", "a section of keys", "nothing" or the quoted text: what a mistake
// says was found.
std::string Found(const YamlNode& node);

}  // namespace hydra

#endif  // HYDRA_COMMON_JOBFILE_YAML_TO_PROTO_H_
