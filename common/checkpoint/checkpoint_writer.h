#ifndef HYDRA_COMMON_CHECKPOINT_CHECKPOINT_WRITER_H_
#define HYDRA_COMMON_CHECKPOINT_CHECKPOINT_WRITER_H_

#include <cstddef>
#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "common/checkpoint/model_files.h"
#include "hydra/checkpoint/v1/checkpoint.pb.h"

namespace hydra {

// Writes a checkpoint: a directory that Hugging Face tools open, with what is
// needed to train on beside it (see checkpoint.proto). It appears at its path
// only when all of it is on the disk; one that is there already is replaced.
// Returns the bytes of its files.
//
// The last part of contents.directory is as CheckpointDirectoryName() makes it.
// Of `manifest`, the spec tells the optimizer; format and files are filled in.
// `written` is called as by WriteModelFiles().
//
// Any thread; one at a time for a directory. Blocks on the disk. After every
// error nothing is left behind, and what was at the path before still is (but
// see StagedDirectory::Commit() for a folder that cannot be synced):
// INVALID_ARGUMENT: the directory's name, the manifest, or as
//   WriteModelFiles().
// FAILED_PRECONDITION: a part of the directory's path is a link, or no
//   directory; or as WriteModelFiles().
// Others: as WriteModelFiles().
absl::StatusOr<int64_t> WriteCheckpoint(
    const ModelContents& contents, checkpoint::v1::Manifest manifest,
    absl::FunctionRef<bool(size_t block)> written);

}  // namespace hydra

#endif  // HYDRA_COMMON_CHECKPOINT_CHECKPOINT_WRITER_H_
