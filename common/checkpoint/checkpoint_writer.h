#ifndef HYDRA_COMMON_CHECKPOINT_CHECKPOINT_WRITER_H_
#define HYDRA_COMMON_CHECKPOINT_CHECKPOINT_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "common/chain/block_key.h"
#include "common/model/model_table.h"
#include "hydra/checkpoint/v1/checkpoint.pb.h"

namespace hydra {

// A block of a job.
struct CheckpointBlock {
  BlockKey key;
  int64_t size_bytes = 0;
  // Not owned, and constant until it is written. Null: known to be zero, for
  // optimizer state only; takes no place in the checkpoint.
  const std::byte* bytes = nullptr;
};

struct CheckpointContents {
  // Where the checkpoint will be; its last part as CheckpointDirectoryName()
  // makes it. One that is there already is replaced.
  std::string directory;
  ModelTable table;
  std::string model_config_json;
  // Names of files to copy from `source_directory`, as CopyPlainFiles() does.
  std::vector<std::string> copied_files;
  std::string source_directory;
  std::vector<std::string> real_roots;
  // Its spec tells the optimizer; format and files are filled in.
  checkpoint::v1::Manifest manifest;
  // In the order in which they are to be written; all parameters among them.
  std::vector<CheckpointBlock> blocks;
};

// Writes a checkpoint: a directory that Hugging Face tools open, with what is
// needed to train on beside it (see checkpoint.proto). It appears at its path
// only when all of it is on the disk. Returns the bytes of its files.
//
// Calls written(i) as soon as blocks[i] is not needed any more, in order; stops
// when that returns false.
//
// Any thread; one at a time for a directory. Blocks on the disk; memory beside
// the blocks is the files' headers. After every error nothing is left behind,
// and what was at the path before still is (but see StagedDirectory::Commit()
// for a folder that cannot be synced):
// CANCELLED: written() returned false.
// INVALID_ARGUMENT: the directory's name, a block twice, parameters missing,
//   a known-zero block that is no optimizer state, the manifest.
// ALREADY_EXISTS: a copied file has the name of another file.
// FAILED_PRECONDITION: a block does not fit the table; or a part of the
//   directory's path is a link, or no directory.
// RESOURCE_EXHAUSTED: the disk, quota or file size limit has no room; for the
//   tensors this is told before any block is written.
// Others: as FileError() has them.
absl::StatusOr<int64_t> WriteCheckpoint(
    const CheckpointContents& contents,
    absl::FunctionRef<bool(size_t block)> written);

}  // namespace hydra

#endif  // HYDRA_COMMON_CHECKPOINT_CHECKPOINT_WRITER_H_
