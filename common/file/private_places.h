#ifndef HYDRA_COMMON_FILE_PRIVATE_PLACES_H_
#define HYDRA_COMMON_FILE_PRIVATE_PLACES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/file/file.h"
#include "common/file/file_access.h"
#include "common/file/file_user.h"

// The files that belong to hydrad alone, whatever directories a job may read:
// its state directory, its pool and its configuration. A job's paths are any
// user's words, and hydrad and its workers open them with hydrad's own rights.
namespace hydra {

// What this process keeps from jobs: files, and directories with all that is
// below them. They need not exist yet. Replaces what was set before. Call it
// before the first job's file is opened; thread-safe.
//
// `linkable`: a directory below one of `paths` whose files may have further
// names elsewhere; those may be read there. Empty: none.
void SetPrivatePlaces(std::vector<std::string> paths,
                      std::string linkable = "");

// Whether a job may read what was opened (O_PATH will do). Judged is the file
// itself, by the directories that it lies in, so that no link, other name of a
// directory or later change of either gains anything; of a file with several
// hard links, by whether one of them is private.
//
// PERMISSION_DENIED: it is private, or it is no file but the kernel's answer
//   (/proc and /sys show hydrad's own secrets).
absl::Status CheckNotPrivate(const UniqueFd& file, absl::string_view path);

// The part of it that is about hard links, for a folder that is private itself.
absl::Status CheckNoPrivateHardLink(const UniqueFd& file,
                                    absl::string_view path);

// Whether `real_path`, which need not exist, is private or would be. All links
// must have been followed.
bool IsPrivatePath(const std::string& real_path);

// As whom what a job wrote is made, read and removed, if `owner` submitted it:
// where it is among hydrad's own files, as hydrad; else as UserOf(owner).
// Links in `directory` lead nowhere: HeldDirectory follows none either.
FileUser WriterOf(const std::string& directory, std::optional<uint32_t> owner);

// As OpenRegularFileBelow(), for a file that a job names.
//
// PERMISSION_DENIED: as CheckNotPrivate(), too.
absl::StatusOr<UniqueFd> OpenJobFile(const UniqueFd& directory,
                                     absl::string_view directory_path,
                                     const std::string& name,
                                     const FileAccess& access);

// The same for a whole path.
absl::StatusOr<UniqueFd> OpenJobFile(const std::string& path,
                                     const FileAccess& access);

// For a directory that a job names, which may be one of the roots: for listing
// it, and for opening what is in it.
//
// PERMISSION_DENIED: it lies outside of the roots, or as CheckNotPrivate().
// FAILED_PRECONDITION: it is no directory. NOT_FOUND and others: from the file
// system.
absl::StatusOr<UniqueFd> OpenJobDirectory(const std::string& path,
                                          const FileAccess& access);

// The same for `name` in `directory`, which is known as `directory_path`.
absl::StatusOr<UniqueFd> OpenJobDirectory(const UniqueFd& directory,
                                          absl::string_view directory_path,
                                          const std::string& name,
                                          const FileAccess& access);

}  // namespace hydra

#endif  // HYDRA_COMMON_FILE_PRIVATE_PLACES_H_
