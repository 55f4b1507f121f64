#ifndef HYDRA_COMMON_IMAGE_FOLDER_ENTRIES_H_
#define HYDRA_COMMON_IMAGE_FOLDER_ENTRIES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/file/file.h"

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

// Of an open directory, which is known as `path`. Thread-safe; blocks on the
// disk. Errors: from the file system.
absl::StatusOr<FolderEntries> ReadFolderEntries(const UniqueFd& directory,
                                                absl::string_view path);

}  // namespace hydra

#endif  // HYDRA_COMMON_IMAGE_FOLDER_ENTRIES_H_
