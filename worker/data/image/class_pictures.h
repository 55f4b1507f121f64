#ifndef HYDRA_WORKER_DATA_IMAGE_CLASS_PICTURES_H_
#define HYDRA_WORKER_DATA_IMAGE_CLASS_PICTURES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/file/file_access.h"
#include "common/image/split_folder.h"

// The pictures of a class, in a folder with its name. Links are followed as far
// as `access` says, and where jobs may read. Thread-safe; blocks
// on the disk.
namespace hydra {

// Beyond it a file is taken for something else than a picture.
inline constexpr int64_t kMaxPictureBytes = int64_t{256} << 20;

struct ClassPictures {
  // The folder's.
  std::string path;
  // The class's.
  int64_t number = 0;
  // Of the files that end in .jpg, .jpeg or .png, in capitals or not, in the
  // order of their bytes.
  std::vector<std::string> names;

  std::string PathOf(const std::string& name) const;
};

// What the folder at `path` has of class `number`; what else is in it is added
// to `others`.
//
// INVALID_ARGUMENT: it has no pictures, or folders are in it. Others: as
// OpenJobDirectory, and from the file system. Errors name the folder.
absl::StatusOr<ClassPictures> ListPictures(const std::string& path,
                                           int64_t number,
                                           const FileAccess& access,
                                           OtherEntries* others);

// Hands each picture's file, in order, to `take`, with its name: all of it, and
// no other one is in memory. An error ends it.
//
// INVALID_ARGUMENT: it is no regular file, or has more than kMaxPictureBytes.
// NOT_FOUND, PERMISSION_DENIED and others: as OpenJobFile, and from the file
// system. Errors name the file.
absl::Status ReadPictures(const ClassPictures& pictures,
                          const FileAccess& access,
                          absl::FunctionRef<absl::Status(
                              const std::string& name, absl::string_view file)>
                              take);

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_IMAGE_CLASS_PICTURES_H_
