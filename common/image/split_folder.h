#ifndef HYDRA_COMMON_IMAGE_SPLIT_FOLDER_H_
#define HYDRA_COMMON_IMAGE_SPLIT_FOLDER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/file/file_access.h"

namespace hydra {

// Entries of folders that are no pictures, and are not hidden.
struct OtherEntries {
  int64_t count = 0;
  // Its path.
  std::string first;

  // `count` more, of which the first is at `path`.
  void Add(int64_t more, const std::string& path);
};

// A folder of pictures, with a folder for each class in it.
struct SplitFolder {
  // The names of those folders, in the order of their bytes.
  std::vector<std::string> classes;
  OtherEntries others;
};

// The one at `path`, which a job names. Links are followed as far as
// `access` says, and where jobs may read. Thread-safe; blocks on
// the disk.
//
// INVALID_ARGUMENT: no folders are in it. Others: as OpenJobDirectory, and from
// the file system. Errors name the folder.
absl::StatusOr<SplitFolder> ReadSplitFolder(const std::string& path,
                                            const FileAccess& access);

// The classes of several, each named once, in the order of their bytes.
std::vector<std::string> ClassesOf(const std::vector<SplitFolder>& folders);

}  // namespace hydra

#endif  // HYDRA_COMMON_IMAGE_SPLIT_FOLDER_H_
