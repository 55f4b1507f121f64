#include "common/jobfile/suggest.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace hydra {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

// Longer words are no typing mistakes; comparing them would cost time.
constexpr size_t kMaxWordBytes = 64;

int EditDistance(absl::string_view a, absl::string_view b) {
  // distances[j] is that of a's first i characters from b's first j.
  std::vector<int> distances(b.size() + 1);
  std::iota(distances.begin(), distances.end(), 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    int diagonal = distances[0];
    distances[0] = static_cast<int>(i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const int substituted = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = distances[j];
      distances[j] =
          std::min({substituted, diagonal + 1, distances[j - 1] + 1});
    }
  }
  return distances[b.size()];
}

int LargestDistance(absl::string_view word) {
  return static_cast<int>(word.size() + 1) / 3;
}

absl::string_view Resolve(absl::string_view word, Aliases aliases) {
  const auto* alias = absl::c_find_if(aliases, [&](const Alias& candidate) {
    return candidate.word == absl::AsciiStrToLower(word);
  });
  return alias == aliases.end() ? absl::string_view() : alias->meant;
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

std::string SuggestWord(absl::string_view word,
                        absl::Span<const std::string> candidates,
                        Aliases aliases) {
  if (word.size() > kMaxWordBytes) return "";
  const absl::string_view meant = Resolve(word, aliases);
  if (absl::c_linear_search(candidates, meant)) return std::string(meant);

  const std::string lower = absl::AsciiStrToLower(word);
  std::string nearest;
  int least = LargestDistance(word) + 1;
  for (const std::string& candidate : candidates) {
    const int distance = EditDistance(lower, candidate);
    if (distance < least) {
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

  const absl::string_view meant = Resolve(LastName(key), aliases);
  const absl::string_view word = meant.empty() ? key : meant;
  if (absl::c_linear_search(paths, word)) return std::string(word);
  for (const std::string& path : paths) {
    if (LastName(path) == LastName(word)) return path;
  }
  if (!meant.empty()) return std::string(meant);

  std::vector<std::string> names;
  names.reserve(paths.size());
  for (const std::string& path : paths) names.emplace_back(LastName(path));
  const std::string nearest = SuggestWord(LastName(key), names, {});
  return nearest.empty() ? ""
                         : paths[absl::c_find(names, nearest) - names.begin()];
}

}  // namespace hydra
