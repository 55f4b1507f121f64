#ifndef HYDRA_COMMON_CHECKPOINT_PLAIN_FILE_H_
#define HYDRA_COMMON_CHECKPOINT_PLAIN_FILE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/safetensors/file.h"
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
    const std::string& directory, const std::string& name,
    absl::string_view text);

// The same with the bytes of `source`.
//
// NOT_FOUND: there is no `source`; nothing was created.
// INVALID_ARGUMENT: it is not a regular file.
absl::StatusOr<checkpoint::v1::FileSum> CopyPlainFile(
    const std::string& directory, const std::string& name,
    const std::string& source);

// All of a file. INVALID_ARGUMENT: it is longer than `max_bytes`.
absl::StatusOr<std::string> ReadPlainFile(const safetensors::UniqueFd& fd,
                                          absl::string_view path,
                                          int64_t max_bytes);

// DATA_LOSS: the file is not what `wanted` says.
absl::Status CheckPlainFile(const safetensors::UniqueFd& fd,
                            absl::string_view path,
                            const checkpoint::v1::FileSum& wanted);

}  // namespace hydra

#endif  // HYDRA_COMMON_CHECKPOINT_PLAIN_FILE_H_
