#include "common/jobfile/suggest.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"

namespace hydra {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

// Longer words are no typing mistakes; comparing them would cost time.
constexpr size_t kMaxWordBytes = 64;

// Two neighbours in the wrong order are one mistake.
int EditDistance(absl::string_view a, absl::string_view b) {
  // rows[i % 3][j] is that of a's first i characters from b's first j.
  std::vector<int> rows[3] = {std::vector<int>(b.size() + 1),
                              std::vector<int>(b.size() + 1),
                              std::vector<int>(b.size() + 1)};
  std::iota(rows[0].begin(), rows[0].end(), 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    std::vector<int>& row = rows[i % 3];
    const std::vector<int>& above = rows[(i - 1) % 3];
    row[0] = static_cast<int>(i);
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({above[j - 1] + (a[i - 1] != b[j - 1]), above[j] + 1,
                         row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], rows[(i - 2) % 3][j - 2] + 1);
      }
    }
  }
  return rows[a.size() % 3][b.size()];
}

// More mistakes make another word: max_samples is not max_steps.
int LargestDistance(absl::string_view word) {
  return static_cast<int>(word.size() + 3) / 4;
}

// As aliases are written.
std::string Normal(absl::string_view key) {
  std::string normal = absl::AsciiStrToLower(key);
  std::replace(normal.begin(), normal.end(), '-', '_');
  return normal;
}

bool Matches(absl::string_view pattern, absl::string_view word) {
  if (absl::ConsumeSuffix(&pattern, "*")) {
    return absl::StartsWith(word, pattern);
  }
  return pattern == word;
}

const Alias* FindWord(const std::string& word, Aliases aliases) {
  const auto* alias = absl::c_find_if(aliases, [&](const Alias& candidate) {
    return Matches(candidate.word, word);
  });
  return alias == aliases.end() ? nullptr : alias;
}

std::string Join(absl::string_view section, absl::string_view key) {
  return section.empty() ? std::string(key) : absl::StrCat(section, ".", key);
}

absl::string_view SectionOf(absl::string_view path) {
  const size_t dot = path.rfind('.');
  return dot == path.npos ? absl::string_view() : path.substr(0, dot);
}

absl::string_view LastName(absl::string_view path) {
  return path.substr(path.rfind('.') + 1);
}

void AppendPaths(const Descriptor& message, absl::string_view section,
                 std::vector<std::string>* paths) {
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor& field = *message.field(i);
    paths->push_back(Join(section, field.name()));
    if (field.message_type() != nullptr) {
      AppendPaths(*field.message_type(), std::string(paths->back()), paths);
    }
  }
}

}  // namespace

const Alias* FindAlias(absl::string_view section, absl::string_view key,
                       Aliases aliases) {
  if (key.size() > kMaxWordBytes) return nullptr;
  const std::string name = Normal(LastName(key));
  if (!section.empty()) {
    const Alias* alias = FindWord(Join(Normal(section), name), aliases);
    if (alias != nullptr) return alias;
  }
  return FindWord(name, aliases);
}

std::string SuggestWord(absl::string_view word,
                        absl::Span<const std::string> candidates,
                        Aliases aliases, absl::string_view kind) {
  if (word.size() > kMaxWordBytes) return "";
  const std::string normal = Normal(word);
  for (const std::string& name : {Join(kind, normal), normal}) {
    const Alias* const alias = FindWord(name, aliases);
    if (alias != nullptr && absl::c_linear_search(candidates, alias->meant)) {
      return std::string(alias->meant);
    }
  }

  const std::string lower = absl::AsciiStrToLower(word);
  std::string nearest;
  int least = LargestDistance(word) + 1;
  for (const std::string& candidate : candidates) {
    const int distance = EditDistance(lower, candidate);
    // A short one that shares no letter is not near.
    if (distance < least && distance < static_cast<int>(candidate.size())) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

std::string SuggestField(const Descriptor& root, absl::string_view section,
                         absl::string_view key, Aliases aliases) {
  if (key.size() > kMaxWordBytes) return "";
  std::vector<std::string> paths;
  AppendPaths(root, "", &paths);
  absl::c_stable_partition(paths, [&](const std::string& path) {
    return SectionOf(path) == section;
  });

  const Alias* const alias = FindAlias(section, key, aliases);
  const absl::string_view meant =
      alias == nullptr ? absl::string_view() : alias->meant;
  const absl::string_view word = meant.empty() ? key : meant;
  if (absl::c_linear_search(paths, word)) return std::string(word);
  for (const std::string& path : paths) {
    if (LastName(path) == LastName(word)) return path;
  }
  if (alias != nullptr) return std::string(meant);

  std::vector<std::string> names;
  names.reserve(paths.size());
  for (const std::string& path : paths) names.emplace_back(LastName(path));
  const std::string nearest = SuggestWord(LastName(key), names, {});
  return nearest.empty() ? ""
                         : paths[absl::c_find(names, nearest) - names.begin()];
}

std::string KeyHint(const Descriptor& root, absl::string_view section,
                    absl::string_view key, absl::Span<const std::string> known,
                    Aliases aliases) {
  const Alias* const alias = FindAlias(section, key, aliases);
  std::string meant = SuggestField(root, section, key, aliases);
  // Keys that are no fields, such as the section of a sweep.
  if (meant.empty() && alias == nullptr) {
    const std::string name = SuggestWord(key, known, {});
    if (!name.empty()) meant = Join(section, name);
  }
  if (meant.empty() && alias != nullptr) {
    return absl::StrCat(alias->note, "; remove it");
  }
  if (meant.empty()) {
    return absl::StrCat("known here: ", absl::StrJoin(known, ", "));
  }
  const absl::string_view meant_section = SectionOf(meant);
  std::string hint = absl::StrCat("did you mean '", LastName(meant), "'");
  if (meant_section != section) {
    absl::StrAppend(&hint, meant_section.empty()
                               ? " at the top level"
                               : absl::StrCat(" under '", meant_section, "'"));
  }
  const bool has_note = alias != nullptr && !alias->note.empty();
  return absl::StrCat(hint, "?", has_note ? " " : "",
                      has_note ? alias->note : "");
}

}  // namespace hydra
