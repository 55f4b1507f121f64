#ifndef HYDRA_COMMON_CHECKPOINT_MANIFEST_FILE_H_
#define HYDRA_COMMON_CHECKPOINT_MANIFEST_FILE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "common/checkpoint/file_opener.h"
#include "common/file/held_directory.h"
#include "hydra/checkpoint/v1/checkpoint.pb.h"

namespace hydra {

inline constexpr char kManifestFile[] = "hydra_checkpoint.json";
// The manifest's own sum, in hexadecimal digits and a line's end: a flipped bit
// in a step's number must not go unnoticed.
inline constexpr char kManifestSumFile[] = "hydra_checkpoint.json.xxh3";
inline constexpr int kCheckpointFormat = 1;
inline constexpr int64_t kMaxManifestBytes = 64 << 20;

// Writes both files, the manifest last, and returns their bytes.
//
// INVALID_ARGUMENT: the manifest is not what ReadManifest() would take.
// Others: as WritePlainFile().
absl::StatusOr<int64_t> WriteManifest(const HeldDirectory& directory,
                                      const checkpoint::v1::Manifest& manifest);

// DATA_LOSS: a file is missing, or the sum is another one.
// INVALID_ARGUMENT: the sum is right, but it is no manifest of our format: not
//   its JSON, above kMaxManifestBytes, another format number, negative numbers,
//   files with a path or twice.
absl::StatusOr<checkpoint::v1::Manifest> ReadManifest(const FileOpener& opener);

// A name that stays in its directory.
bool IsPlainName(const std::string& name);

}  // namespace hydra

#endif  // HYDRA_COMMON_CHECKPOINT_MANIFEST_FILE_H_
