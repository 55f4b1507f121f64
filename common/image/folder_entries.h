#ifndef HYDRA_COMMON_IMAGE_FOLDER_ENTRIES_H_
#define HYDRA_COMMON_IMAGE_FOLDER_ENTRIES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/file/file.h"
#include "common/file/file_user.h"

namespace hydra {

// What is in a folder of a user's data, by name: in the order of their bytes,
// which is that of Python's sorted(). Links count as what they lead to. Hidden
// entries (".DS_Store") are left out.
struct FolderEntries {
  std::vector<std::string> folders;
  std::vector<std::string> files;
  // Pipes, devices, and links that lead nowhere.
  std::vector<std::string> others;
};

// The names of so many, which anybody may put into a folder, take some hundred
// MiB.
inline constexpr int64_t kMaxFolderEntries = int64_t{4} << 20;

// Of an open directory, which is known as `path`, as `user` sees it.
// Thread-safe; blocks on the disk.
//
// INVALID_ARGUMENT: it has more than `max_entries`. Others: from the file
// system. Errors name the folder.
absl::StatusOr<FolderEntries> ReadFolderEntries(
    const UniqueFd& directory, absl::string_view path, const FileUser& user,
    int64_t max_entries = kMaxFolderEntries);

}  // namespace hydra

#endif  // HYDRA_COMMON_IMAGE_FOLDER_ENTRIES_H_
