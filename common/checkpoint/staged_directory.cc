#include "common/checkpoint/staged_directory.h"

#include <unistd.h>

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/file/file.h"

namespace hydra {
namespace {

constexpr char kReplaced[] = "replaced";

}  // namespace

std::string RemovableName(const std::string& name, const std::string& purpose) {
  return absl::StrCat(name, kLeftoverInfix, getpid(), "-", purpose);
}

absl::Status RemoveLeftoversOf(const HeldDirectory& folder,
                               const std::string& final_name) {
  const absl::StatusOr<std::vector<std::string>> names = folder.Names();
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    if (!absl::StartsWith(name, absl::StrCat(final_name, kLeftoverInfix))) {
      continue;
    }
    const bool bring_back =
        absl::EndsWith(name, kReplaced) && !folder.Has(final_name);
    absl::Status status = bring_back ? folder.Rename(name, folder, final_name)
                                     : folder.Remove(name);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status RemoveLeftoversOf(const std::string& final_path) {
  const SplitPath split(final_path);
  const auto folder = HeldDirectory::Open(split.folder);
  if (absl::IsNotFound(folder.status())) return absl::OkStatus();
  if (!folder.ok()) return folder.status();
  return RemoveLeftoversOf(*folder, split.name);
}

StagedDirectory::StagedDirectory(HeldDirectory folder, std::string final_name,
                                 std::string name, HeldDirectory directory)
    : folder_(std::move(folder)),
      final_name_(std::move(final_name)),
      name_(std::move(name)),
      directory_(std::move(directory)) {}

StagedDirectory::StagedDirectory(StagedDirectory&& other) noexcept
    : folder_(other.folder_),
      final_name_(other.final_name_),
      name_(std::exchange(other.name_, "")),
      directory_(other.directory_) {}

StagedDirectory::~StagedDirectory() {
  // What cannot be removed is a leftover, as after a kill.
  if (!name_.empty()) (void)folder_.Remove(name_);
}

absl::StatusOr<StagedDirectory> StagedDirectory::Create(
    const std::string& final_path) {
  SplitPath split(final_path);
  absl::StatusOr<HeldDirectory> folder = HeldDirectory::Make(split.folder);
  if (!folder.ok()) return folder.status();
  std::string name = absl::StrCat(split.name, kLeftoverInfix, getpid());
  // Of a process that had this id and was killed.
  if (absl::Status removed = folder->Remove(name); !removed.ok()) {
    return removed;
  }
  absl::StatusOr<HeldDirectory> directory = folder->MakeFolder(name);
  if (!directory.ok()) return directory.status();
  return StagedDirectory(*std::move(folder), std::move(split.name),
                         std::move(name), *std::move(directory));
}

absl::Status StagedDirectory::Commit() {
  absl::Status status = directory_.Sync();
  if (status.ok()) status = folder_.CheckStillThere();
  if (status.ok()) status = MoveIntoPlace();
  if (!status.ok()) return status;
  status = folder_.Sync();
  // The disk may still know what was replaced by the final name.
  if (!status.ok()) name_.clear();
  return status;
}

absl::Status StagedDirectory::CommitFiles(const std::string& last) {
  absl::Status status = folder_.CheckStillThere();
  if (!status.ok()) return status;
  const auto made = folder_.OpenOrMakeFolder(final_name_);
  if (!made.ok()) return made.status();
  const auto names = directory_.Names();
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    if (name != last) status.Update(directory_.Rename(name, *made, name));
  }
  if (status.ok()) status = made->Sync();
  if (status.ok()) status = directory_.Rename(last, *made, last);
  if (status.ok()) status = made->Sync();
  return status;
}

absl::Status StagedDirectory::MoveIntoPlace() const {
  absl::Status status = folder_.Rename(name_, folder_, final_name_);
  if (absl::IsAlreadyExists(status)) return Replace();
  return status;
}

absl::Status StagedDirectory::Replace() const {
  absl::Status status = folder_.Exchange(name_, final_name_);
  if (!absl::IsUnimplemented(status)) return status;
  const std::string aside = RemovableName(final_name_, kReplaced);
  status = folder_.Remove(aside);
  if (status.ok()) status = folder_.Rename(final_name_, folder_, aside);
  if (!status.ok()) return status;
  status = folder_.Rename(name_, folder_, final_name_);
  // The older one is where an exchange would have put it, or back again.
  (void)folder_.Rename(aside, folder_, status.ok() ? name_ : final_name_);
  return status;
}

}  // namespace hydra
