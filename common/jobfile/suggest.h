#ifndef HYDRA_COMMON_JOBFILE_SUGGEST_H_
#define HYDRA_COMMON_JOBFILE_SUGGEST_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "google/protobuf/descriptor.h"

// What somebody probably meant by a word that Hydra does not know. Pure.
namespace hydra {

// What a value becomes that stands under a word of another program, when a
// whole file of that program is read (import_job.h).
enum class Import {
  // That of `meant` where there is no note; else it is left out, and what is
  // trained is the same.
  kByNote,
  // That of `meant`: the note only says more.
  kTake,
  // Hydra has nothing that trains the same, or what is `meant` may be something
  // else there; unless the value is one of `same`.
  kChanges,
};

// A word that other programs use, and Hydra's word for it.
struct Alias {
  // In lower case, with '_' between words. "train.x" is meant for `x` under
  // `train` alone, "parameter_type.x" for a value of that enum alone; "x*" for
  // all that begins with x. What stands first counts.
  absl::string_view word;
  // A field's name or path, or an enum value. Empty: Hydra has no such thing.
  absl::string_view meant;
  // A clause on what is different here. Never empty where `meant` is.
  absl::string_view note = "";
  Import import = Import::kByNote;
  // Of kChanges: the values that ask for what Hydra does anyway, in lower case,
  // with '|' between them.
  absl::string_view same = "";
};
using Aliases = absl::Span<const Alias>;

// What `aliases` say of the unknown `key` in `section`, a path such as "train"
// or empty at the top level. Null: nothing.
const Alias* FindAlias(absl::string_view section, absl::string_view key,
                       Aliases aliases);

// The candidate that `word` most likely stands for: the one that an alias
// names, of `kind` alone or of any, else the one that few typing mistakes lead
// to. Empty: none is near.
std::string SuggestWord(absl::string_view word,
                        absl::Span<const std::string> candidates,
                        Aliases aliases, absl::string_view kind = "");

// The path, from the message `root`, of the field that the unknown `key` in
// `section` (a path such as "train"; empty at the top level) most likely stands
// for: an alias, the same name in another section, a name that is spelled
// alike. Fields of `section` itself come first. An alias may also lead to a
// word that is no field. Empty: nothing is near, or an alias says that there is
// no such thing.
std::string SuggestField(const google::protobuf::Descriptor& root,
                         absl::string_view section, absl::string_view key,
                         Aliases aliases);

// What to write in place of the unknown `key` in `section`: what was probably
// meant, that Hydra has no such thing, or, if neither is known, the names that
// are: `known`.
std::string KeyHint(const google::protobuf::Descriptor& root,
                    absl::string_view section, absl::string_view key,
                    absl::Span<const std::string> known, Aliases aliases);

}  // namespace hydra

#endif  // HYDRA_COMMON_JOBFILE_SUGGEST_H_
