#include "common/checkpoint/checkpoint_directory.h"

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/checkpoint/manifest_file.h"
#include "common/checkpoint/staged_directory.h"
#include "common/file/held_directory.h"

namespace hydra {
namespace {

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

// None if it is missing.
absl::StatusOr<std::optional<HeldDirectory>> OpenIfThere(
    const std::string& folder, const FileUser& user) {
  absl::StatusOr<HeldDirectory> held = HeldDirectory::Open(folder, user);
  if (absl::IsNotFound(held.status())) return std::nullopt;
  if (!held.ok()) return held.status();
  return *std::move(held);
}

bool IsWhole(const HeldDirectory& folder, const std::string& name) {
  const auto checkpoint = folder.OpenFolder(name);
  return checkpoint.ok() && checkpoint->Has(kManifestFile);
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
    const std::string& folder, const FileUser& user) {
  std::vector<CheckpointEntry> entries;
  const auto held = OpenIfThere(folder, user);
  if (!held.ok()) return held.status();
  if (!held->has_value()) return entries;
  const auto names = (*held)->Names();
  if (!names.ok()) return names.status();
  for (const std::string& directory : *names) {
    const auto name = ParseCheckpointDirectoryName(directory);
    if (name.has_value() && IsWhole(**held, directory)) {
      entries.push_back({(*held)->PathOf(directory), *name});
    }
  }
  std::sort(entries.begin(), entries.end(), &TrainedLess);
  return entries;
}

absl::Status RemoveCheckpoint(const std::string& path, const FileUser& user) {
  const SplitPath split(path);
  if (!ParseCheckpointDirectoryName(split.name)) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " is not a checkpoint's name"));
  }
  const auto folder = HeldDirectory::Open(split.folder, user);
  if (!folder.ok()) return folder.status();
  const std::string removable = RemovableName(split.name, kRemovedPurpose);
  absl::Status status = folder->Remove(removable);
  if (status.ok()) status = folder->Rename(split.name, *folder, removable);
  // Else a power cut could bring back the name with half of the files.
  if (status.ok()) status = folder->Sync();
  if (status.ok()) status = folder->Remove(removable);
  return status;
}

absl::Status RemoveLeftovers(const std::string& folder, const FileUser& user) {
  const auto held = OpenIfThere(folder, user);
  if (!held.ok()) return held.status();
  if (!held->has_value()) return absl::OkStatus();
  const auto names = (*held)->Names();
  if (!names.ok()) return names.status();
  std::set<std::string> checkpoints;
  for (const std::string& directory : *names) {
    const auto checkpoint = LeftoverOf(directory);
    if (checkpoint.has_value() && (*held)->OpenFolder(directory).ok()) {
      checkpoints.insert(*checkpoint);
    }
  }
  absl::Status status;
  for (const std::string& checkpoint : checkpoints) {
    status.Update(RemoveLeftoversOf(**held, checkpoint));
  }
  return status;
}

}  // namespace hydra
