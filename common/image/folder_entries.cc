#include "common/image/folder_entries.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace hydra {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

using Directory = std::unique_ptr<DIR, CloseDirectory>;

// A listing of its own: it begins at the front, whoever read before.
Directory OpenAgain(const UniqueFd& directory, const FileUser& user) {
  UniqueFd fd = user.OpenAt(directory.get(), ".", O_RDONLY | O_DIRECTORY);
  if (!fd.is_open()) return nullptr;
  Directory opened(fdopendir(fd.get()));
  if (opened != nullptr) fd.Release();
  return opened;
}

// Where the listing does not tell, as of links, the entry is looked at.
std::vector<std::string>& ListOf(const UniqueFd& directory,
                                 const FileUser& user, const dirent& entry,
                                 FolderEntries& entries) {
  if (entry.d_type == DT_REG) return entries.files;
  if (entry.d_type == DT_DIR) return entries.folders;
  struct stat info;
  const UniqueFd found = user.OpenAt(directory.get(), entry.d_name, O_PATH);
  if (!found.is_open() || fstat(found.get(), &info) != 0) return entries.others;
  if (S_ISDIR(info.st_mode)) return entries.folders;
  return S_ISREG(info.st_mode) ? entries.files : entries.others;
}

}  // namespace

absl::StatusOr<FolderEntries> ReadFolderEntries(const UniqueFd& directory,
                                                absl::string_view path,
                                                const FileUser& user,
                                                int64_t max_entries) {
  const Directory listing = OpenAgain(directory, user);
  if (listing == nullptr) {
    return FileError(errno, absl::StrCat("cannot list ", path));
  }
  FolderEntries entries;
  int64_t count = 0;
  errno = 0;
  while (const dirent* entry = readdir(listing.get())) {
    if (entry->d_name[0] != '.') {
      if (++count > max_entries) {
        return absl::InvalidArgumentError(
            absl::StrCat(path, " has more than ", max_entries,
                         " entries; put them into several folders"));
      }
      ListOf(directory, user, *entry, entries).push_back(entry->d_name);
    }
    errno = 0;
  }
  if (errno != 0) return FileError(errno, absl::StrCat("cannot list ", path));
  for (auto* names : {&entries.folders, &entries.files, &entries.others}) {
    std::sort(names->begin(), names->end());
  }
  return entries;
}

}  // namespace hydra
