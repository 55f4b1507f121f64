#include "common/jobfile/account_entry.h"

#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"

namespace hydra {
namespace {

bool MayBeInAName(char c) {
  return absl::ascii_isprint(static_cast<unsigned char>(c)) && c != ':' &&
         c != ',';
}

}  // namespace

std::optional<AccountEntry> ParseAccountEntry(absl::string_view text) {
  const std::vector<std::string> words =
      absl::StrSplit(text, ' ', absl::SkipEmpty());
  const bool is_group = words.size() == 2 && words[0] == "group";
  if (words.size() != 1 && !is_group) return std::nullopt;
  if (!is_group && words[0] == "group") return std::nullopt;
  if (!absl::c_all_of(words.back(), MayBeInAName)) return std::nullopt;
  return AccountEntry{is_group, words.back()};
}

}  // namespace hydra
