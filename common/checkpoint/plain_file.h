#ifndef HYDRA_COMMON_CHECKPOINT_PLAIN_FILE_H_
#define HYDRA_COMMON_CHECKPOINT_PLAIN_FILE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/file/file.h"
#include "common/file/file_access.h"
#include "common/file/held_directory.h"
#include "hydra/checkpoint/v1/checkpoint.pb.h"

namespace hydra {

// The files of a checkpoint that hold no tensors: config.json, a tokenizer. Of
// their FileSum, `tensors` has one entry, the sum of all bytes under the name
// "".

// Creates `name` in `directory`, on the disk when this returns.
//
// ALREADY_EXISTS: there is such a file.
// RESOURCE_EXHAUSTED: the disk is full. Part of the file may be left.
absl::StatusOr<checkpoint::v1::FileSum> WritePlainFile(
    const HeldDirectory& directory, const std::string& name,
    absl::string_view text);

// A file that goes along with others.
struct CopiedFile {
  // Where the others are.
  std::string name;
  // Where it comes from.
  std::string path;
  // Of its bytes, in lower-case hexadecimal digits. The others are of no use
  // without a file that has one.
  std::optional<std::string> sha256 = std::nullopt;
};

// Copies those that exist, in the same way. They must really lie where
// `access` says and not be hydrad's own (see OpenJobFile()). One that does not,
// is no regular file, has more than 256 MiB or cannot be read is left out, with
// a line in the log: what it goes along with is worth more. With a sha256 it is
// an error instead.
//
// FAILED_PRECONDITION: a file with a sha256 is missing, must not or cannot be
//   read, or is another file; the message names it.
// Others: as WritePlainFile().
absl::StatusOr<std::vector<checkpoint::v1::FileSum>> CopyPlainFiles(
    const HeldDirectory& directory, const std::vector<CopiedFile>& files,
    const FileAccess& access);

// All of such a file, under the same conditions.
//
// NOT_FOUND: there is none. Others: it must not be copied, or cannot be read.
absl::StatusOr<std::string> ReadFileToCopy(const std::string& path,
                                           const FileAccess& access);

// All of a file. INVALID_ARGUMENT: it is longer than `max_bytes`.
absl::StatusOr<std::string> ReadPlainFile(const UniqueFd& fd,
                                          absl::string_view path,
                                          int64_t max_bytes);

// All of a file that a job names. Errors: as OpenJobFile() and
// ReadPlainFile().
absl::StatusOr<std::string> ReadJobFile(const std::string& path,
                                        const FileAccess& access,
                                        int64_t max_bytes);

// DATA_LOSS: the file is not what `wanted` says.
absl::Status CheckPlainFile(const UniqueFd& fd, absl::string_view path,
                            const checkpoint::v1::FileSum& wanted);

}  // namespace hydra

#endif  // HYDRA_COMMON_CHECKPOINT_PLAIN_FILE_H_
