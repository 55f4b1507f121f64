#include "common/checkpoint/checkpoint_directory.h"

#include <stdio.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>
#include <system_error>
#include <tuple>

#include "absl/functional/function_ref.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/checkpoint/manifest_file.h"
#include "common/checkpoint/staged_directory.h"
#include "common/file/file.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;

constexpr absl::string_view kPrefix = "checkpoint-";
constexpr absl::string_view kInside = "-inside";

bool TrainedLess(const CheckpointEntry& a, const CheckpointEntry& b) {
  return std::tie(a.name.step, a.name.inside_step) <
         std::tie(b.name.step, b.name.inside_step);
}

// The checkpoint's name that `directory` is a leftover of.
std::optional<std::string> LeftoverOf(const std::string& directory) {
  const size_t end = directory.find(kLeftoverInfix);
  if (end == std::string::npos) return std::nullopt;
  std::string name = directory.substr(0, end);
  if (!ParseCheckpointDirectoryName(name)) return std::nullopt;
  return name;
}

// For each real directory in `folder`; none if that is missing.
absl::Status ForEachDirectory(
    const std::string& folder,
    absl::FunctionRef<absl::Status(const fs::path&)> use) {
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  if (error == std::errc::no_such_file_or_directory) return absl::OkStatus();
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    std::error_code unknown;
    if (entry->symlink_status(unknown).type() != fs::file_type::directory) {
      continue;
    }
    absl::Status status = use(entry->path());
    if (!status.ok()) return status;
  }
  if (error) return FileError(error.value(), folder);
  return absl::OkStatus();
}

}  // namespace

std::string CheckpointDirectoryName(const CheckpointName& name) {
  return absl::StrCat(kPrefix, name.step, name.inside_step ? kInside : "");
}

std::optional<CheckpointName> ParseCheckpointDirectoryName(
    absl::string_view directory) {
  absl::string_view digits = directory;
  CheckpointName name;
  if (!absl::ConsumePrefix(&digits, kPrefix)) return std::nullopt;
  name.inside_step = absl::ConsumeSuffix(&digits, kInside);
  if (!absl::SimpleAtoi(digits, &name.step) || name.step < 0) {
    return std::nullopt;
  }
  // One name for each checkpoint: no leading zeros, signs or blanks.
  if (CheckpointDirectoryName(name) != directory) return std::nullopt;
  return name;
}

absl::StatusOr<std::vector<CheckpointEntry>> ListCheckpoints(
    const std::string& folder) {
  std::vector<CheckpointEntry> entries;
  absl::Status status = ForEachDirectory(folder, [&](const fs::path& path) {
    const auto name = ParseCheckpointDirectoryName(path.filename().string());
    std::error_code unknown;
    if (name.has_value() && fs::exists(path / kManifestFile, unknown)) {
      entries.push_back({path.string(), *name});
    }
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  std::sort(entries.begin(), entries.end(), &TrainedLess);
  return entries;
}

absl::Status RemoveCheckpoint(const std::string& path) {
  const fs::path parts(path);
  if (!ParseCheckpointDirectoryName(parts.filename().string())) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " is not a checkpoint's name"));
  }
  const std::string removable = RemovablePath(path, "removed");
  absl::Status status = RemoveTree(removable);
  if (!status.ok()) return status;
  if (rename(path.c_str(), removable.c_str()) != 0) {
    return FileError(errno, absl::StrCat("cannot remove ", path));
  }
  // Else a power cut could bring back the name with half of the files.
  const std::string folder = parts.parent_path().string();
  status = SyncDirectory(folder.empty() ? "." : folder);
  if (!status.ok()) return status;
  return RemoveTree(removable);
}

absl::Status RemoveLeftovers(const std::string& folder) {
  std::set<std::string> names;
  absl::Status status = ForEachDirectory(folder, [&](const fs::path& path) {
    const auto name = LeftoverOf(path.filename().string());
    if (name.has_value()) names.insert(*name);
    return absl::OkStatus();
  });
  for (const std::string& name : names) {
    status.Update(RemoveLeftoversOf(absl::StrCat(folder, "/", name)));
  }
  return status;
}

}  // namespace hydra
