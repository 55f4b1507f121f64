#include "common/checkpoint/staged_directory.h"

#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "common/file/file.h"

namespace hydra {
namespace {

constexpr absl::string_view kReplaced = "replaced";

// Whether `name` is `final_name` with what is put behind it here, and by those
// who call RemovableName().
bool IsLeftoverOf(absl::string_view name, absl::string_view final_name) {
  if (!absl::ConsumePrefix(&name, final_name) ||
      !absl::ConsumePrefix(&name, kLeftoverInfix)) {
    return false;
  }
  const size_t pid_end = std::min(name.find('-'), name.size());
  const absl::string_view pid = name.substr(0, pid_end);
  if (pid.empty() ||
      !std::all_of(pid.begin(), pid.end(), absl::ascii_isdigit)) {
    return false;
  }
  name.remove_prefix(pid_end);
  return name.empty() || (absl::ConsumePrefix(&name, "-") &&
                          (name == kReplaced || name == kRemovedPurpose));
}

}  // namespace

std::string RemovableName(const std::string& name, const std::string& purpose) {
  return absl::StrCat(name, kLeftoverInfix, getpid(), "-", purpose);
}

absl::Status RemoveLeftoversOf(const HeldDirectory& folder,
                               const std::string& final_name) {
  const absl::StatusOr<std::vector<std::string>> names = folder.Names();
  if (!names.ok()) return names.status();
  absl::Status status;
  for (const std::string& name : *names) {
    if (!IsLeftoverOf(name, final_name)) continue;
    const bool bring_back =
        absl::EndsWith(name, kReplaced) && !folder.Has(final_name);
    status.Update(bring_back ? folder.Rename(name, folder, final_name)
                             : folder.Remove(name));
  }
  return status;
}

absl::Status RemoveLeftoversOf(const std::string& final_path,
                               const FileUser& user) {
  const SplitPath split(final_path);
  const auto folder = HeldDirectory::Open(split.folder, user);
  if (absl::IsNotFound(folder.status())) return absl::OkStatus();
  if (!folder.ok()) return folder.status();
  return RemoveLeftoversOf(*folder, split.name);
}

StagedDirectory::StagedDirectory(HeldDirectory folder, std::string final_name,
                                 std::string name, HeldDirectory directory)
    : folder_(std::move(folder)),
      final_name_(std::move(final_name)),
      name_(std::move(name)),
      directory_(std::move(directory)),
      removable_(directory_) {}

StagedDirectory::StagedDirectory(StagedDirectory&& other) noexcept
    : folder_(other.folder_),
      final_name_(other.final_name_),
      name_(std::exchange(other.name_, "")),
      directory_(other.directory_),
      removable_(other.removable_) {}

StagedDirectory::~StagedDirectory() {
  if (name_.empty()) return;
  // What cannot be removed is a leftover, as after a kill.
  (void)removable_.RemoveContents();
  (void)folder_.RemoveEmptyFolder(name_);
}

absl::StatusOr<StagedDirectory> StagedDirectory::Create(
    const std::string& final_path, const FileUser& user) {
  SplitPath split(final_path);
  absl::StatusOr<HeldDirectory> folder =
      HeldDirectory::Make(split.folder, user);
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

absl::Status StagedDirectory::MoveIntoPlace() {
  absl::Status status = folder_.Rename(name_, folder_, final_name_);
  if (absl::IsAlreadyExists(status)) return Replace();
  if (status.ok()) name_.clear();
  return status;
}

absl::Status StagedDirectory::Replace() {
  absl::StatusOr<HeldDirectory> older = folder_.OpenFolder(final_name_);
  if (!older.ok()) return older.status();
  absl::Status status = folder_.Exchange(name_, final_name_);
  if (status.ok()) removable_ = *std::move(older);
  if (!absl::IsUnimplemented(status)) return status;
  const std::string aside = RemovableName(final_name_, std::string(kReplaced));
  status = folder_.Remove(aside);
  if (status.ok()) status = folder_.Rename(final_name_, folder_, aside);
  if (!status.ok()) return status;
  status = folder_.Rename(name_, folder_, final_name_);
  // The older one is where an exchange would have put it, or back again.
  (void)folder_.Rename(aside, folder_, status.ok() ? name_ : final_name_);
  if (status.ok()) removable_ = *std::move(older);
  return status;
}

}  // namespace hydra
