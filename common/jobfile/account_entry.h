#ifndef HYDRA_COMMON_JOBFILE_ACCOUNT_ENTRY_H_
#define HYDRA_COMMON_JOBFILE_ACCOUNT_ENTRY_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace hydra {

// Whom an entry of hydrad's `allow` and `operators` names. A value.
struct AccountEntry {
  bool is_group = false;
  // Or a number.
  std::string name;
};

// "alice", or "group hydra". None: it is neither. Pure.
std::optional<AccountEntry> ParseAccountEntry(absl::string_view text);

}  // namespace hydra

#endif  // HYDRA_COMMON_JOBFILE_ACCOUNT_ENTRY_H_
