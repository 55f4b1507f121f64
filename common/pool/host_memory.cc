#include "common/pool/host_memory.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace hydra {
namespace {

// One version of the cgroup interface.
struct CgroupFiles {
  absl::string_view limit;
  absl::string_view usage;
  absl::string_view droppable_cache;  // A line of memory.stat.
};
constexpr CgroupFiles kV1 = {"memory.limit_in_bytes", "memory.usage_in_bytes",
                             "total_inactive_file"};
constexpr CgroupFiles kV2 = {"memory.max", "memory.current", "inactive_file"};

std::optional<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::optional<int64_t> ReadNumber(const std::string& path) {
  const std::optional<std::string> text = ReadFile(path);
  int64_t number = 0;
  if (!text.has_value() || !absl::SimpleAtoi(*text, &number)) {
    return std::nullopt;
  }
  return number;
}

// The number behind `key` in lines of "key number".
std::optional<int64_t> FindNumber(absl::string_view text,
                                  absl::string_view key) {
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::vector<absl::string_view> words =
        absl::StrSplit(line, ' ', absl::SkipEmpty());
    int64_t number = 0;
    if (words.size() >= 2 && words[0] == key &&
        absl::SimpleAtoi(words[1], &number)) {
      return number;
    }
  }
  return std::nullopt;
}

// What the cgroup at `directory` itself, its parents aside, could still take.
std::optional<int64_t> AvailableBytesAt(const std::string& directory,
                                        const CgroupFiles& files) {
  const auto limit = ReadNumber(absl::StrCat(directory, "/", files.limit));
  const auto usage = ReadNumber(absl::StrCat(directory, "/", files.usage));
  if (!limit.has_value() || !usage.has_value()) return std::nullopt;
  const auto stat = ReadFile(absl::StrCat(directory, "/memory.stat"));
  const int64_t cache =
      FindNumber(stat.value_or(""), files.droppable_cache).value_or(0);
  return std::max<int64_t>(0, *limit - (*usage - cache));
}

// The limit of the cgroup at `directory` itself.
std::optional<int64_t> LimitBytesAt(const std::string& directory,
                                    const CgroupFiles& files) {
  return ReadNumber(absl::StrCat(directory, "/", files.limit));
}

// One of the two above.
using CgroupQuestion = std::optional<int64_t> (*)(const std::string&,
                                                  const CgroupFiles&);

// The least answer of any cgroup from `root` down to `path` below it. A
// container may see its host's `path` but only its own cgroup, as `root`:
// folders that are not there are passed over.
std::optional<int64_t> LeastBytes(CgroupQuestion ask, const std::string& root,
                                  absl::string_view path,
                                  const CgroupFiles& files) {
  std::optional<int64_t> least;
  std::string directory = root;
  const auto look = [&] {
    const std::optional<int64_t> here = ask(directory, files);
    if (here.has_value()) least = std::min(*here, least.value_or(*here));
  };
  look();
  if (absl::StrContains(path, "..")) return least;  // Outside of our view.
  for (absl::string_view part : absl::StrSplit(path, '/', absl::SkipEmpty())) {
    absl::StrAppend(&directory, "/", part);
    look();
  }
  return least;
}

bool NamesMemory(absl::string_view controllers) {
  const std::vector<absl::string_view> names = absl::StrSplit(controllers, ',');
  return std::find(names.begin(), names.end(), "memory") != names.end();
}

absl::StatusOr<int64_t> ReadMeminfo(const HostMemoryPaths& paths,
                                    absl::string_view line) {
  const std::optional<std::string> text = ReadFile(paths.meminfo);
  if (!text.has_value()) {
    return absl::UnavailableError(absl::StrCat("cannot read ", paths.meminfo));
  }
  const std::optional<int64_t> kib = FindNumber(*text, absl::StrCat(line, ":"));
  if (!kib.has_value()) {
    return absl::UnavailableError(
        absl::StrCat(paths.meminfo, " has no line ", line));
  }
  return *kib * 1024;
}

std::optional<int64_t> LeastOfOwnCgroups(CgroupQuestion ask,
                                         const HostMemoryPaths& paths) {
  // Lines of "number:controllers:path"; version 2 has no controllers there.
  std::optional<int64_t> least;
  const std::string text = ReadFile(paths.self_cgroup).value_or("");
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::vector<absl::string_view> fields =
        absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (fields.size() != 3) continue;
    std::optional<int64_t> here;
    if (fields[1].empty()) {
      here = LeastBytes(ask, paths.cgroup_v2_root, fields[2], kV2);
    } else if (NamesMemory(fields[1])) {
      here = LeastBytes(ask, paths.cgroup_v1_memory_root, fields[2], kV1);
    }
    if (here.has_value()) least = std::min(*here, least.value_or(*here));
  }
  return least;
}

}  // namespace

absl::StatusOr<int64_t> MemAvailableBytes(const HostMemoryPaths& paths) {
  return ReadMeminfo(paths, "MemAvailable");
}

absl::StatusOr<int64_t> MemTotalBytes(const HostMemoryPaths& paths) {
  return ReadMeminfo(paths, "MemTotal");
}

std::optional<int64_t> CgroupAvailableBytes(const HostMemoryPaths& paths) {
  return LeastOfOwnCgroups(AvailableBytesAt, paths);
}

std::optional<int64_t> CgroupLimitBytes(const HostMemoryPaths& paths) {
  return LeastOfOwnCgroups(LimitBytesAt, paths);
}

}  // namespace hydra
