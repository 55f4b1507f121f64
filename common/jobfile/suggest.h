#ifndef HYDRA_COMMON_JOBFILE_SUGGEST_H_
#define HYDRA_COMMON_JOBFILE_SUGGEST_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "google/protobuf/descriptor.h"

// What somebody probably meant by a word that Hydra does not know. Pure.
namespace hydra {

// A word that other programs use, and Hydra's word for it: a field's name or
// path, or an enum value.
struct Alias {
  absl::string_view word;
  absl::string_view meant;
};
using Aliases = absl::Span<const Alias>;

// The candidate that `word` most likely stands for: the one that an alias
// names, else the one that few typing mistakes lead to. Empty: none is near.
std::string SuggestWord(absl::string_view word,
                        absl::Span<const std::string> candidates,
                        Aliases aliases);

// The path, from the message `root`, of the field that the unknown `key` in
// `section` (a path such as "train"; empty at the top level) most likely stands
// for: an alias, the same name in another section, a name that is spelled
// alike. Fields of `section` itself come first. An alias may also lead to a
// word that is no field. Empty: nothing is near.
std::string SuggestField(const google::protobuf::Descriptor& root,
                         absl::string_view section, absl::string_view key,
                         Aliases aliases);

}  // namespace hydra

#endif  // HYDRA_COMMON_JOBFILE_SUGGEST_H_
