#ifndef HYDRA_COMMON_CHECKPOINT_MODEL_FILES_H_
#define HYDRA_COMMON_CHECKPOINT_MODEL_FILES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "common/chain/block_key.h"
#include "common/checkpoint/plain_file.h"
#include "common/checkpoint/written_model.h"
#include "common/file/file_access.h"
#include "common/file/file_user.h"
#include "common/file/held_directory.h"
#include "hydra/checkpoint/v1/checkpoint.pb.h"
#include "hydra/v1/job.pb.h"

namespace hydra {

// A block of a job.
struct CheckpointBlock {
  BlockKey key;
  int64_t size_bytes = 0;
  // Not owned, and constant until it is written. Null: known to be zero, for
  // optimizer state only; takes no place on the disk.
  const std::byte* bytes = nullptr;
};

// A file that says this.
struct TextFile {
  std::string name;
  std::string text;
};

// All that the files of a model are made of. A trained model is a checkpoint
// without state: it has parameters alone.
struct ModelContents : WrittenModel {
  // Of plain names.
  std::vector<TextFile> text_files;
  // As CopyPlainFiles() does.
  std::vector<CopiedFile> copied_files;
  FileAccess access;
  // Who writes the files, and is their owner.
  FileUser writer;
  // In the order in which they are to be written; all parameters among them
  // that IsInFile() is true of. Where adapters are merged: all parameters and
  // nothing else, adapters last.
  std::vector<CheckpointBlock> blocks;
};

// Writes a model's files into `directory`, which will be contents.directory:
// model.safetensors and those of the other kinds of blocks that there are (see
// block_layout.h), config.json or what stands in its place (ConfigNames::file),
// the given ones and the copied ones. Of a model with adapters
// adapter_model.safetensors and adapter_config.json stand in place of the first
// and of config.json, as PEFT writes them, or they are merged (see
// merge_adapter.h), and the files are those of a model in the type that its
// frozen blocks have, or float32 in place of int8. Where the weights have
// several types, config.json says float32, which holds them all. When this
// returns they are on the disk; `sums`, unless it is null, gets what each must
// be like from now on. `train` tells the optimizer that the state is of.
//
// Calls written(i) as soon as blocks[i] is not needed any more, in order; stops
// when that returns false.
//
// Blocks on the disk; memory beside the blocks is the files' headers. Errors;
// some files may be left:
// CANCELLED: written() returned false.
// INVALID_ARGUMENT: a copied file's name is not a plain one, a block twice,
//   parameters missing, a known-zero block that is no optimizer state, adapters
//   before a weight that they are merged into, or of no weight; as
//   MergeAdapter().
// ALREADY_EXISTS: a copied file has the name of another file.
// FAILED_PRECONDITION: a block does not fit the table.
// RESOURCE_EXHAUSTED: the disk, quota or file size limit has no room; for the
//   tensors this is told before any block is written.
// Others: as FileError() has them.
absl::Status WriteModelFiles(const ModelContents& contents,
                             const hydra::v1::TrainSpec& train,
                             const HeldDirectory& directory,
                             absl::FunctionRef<bool(size_t block)> written,
                             std::vector<checkpoint::v1::FileSum>* sums);

}  // namespace hydra

#endif  // HYDRA_COMMON_CHECKPOINT_MODEL_FILES_H_
