#ifndef HYDRA_COMMON_CHECKPOINT_CHECKPOINT_READER_H_
#define HYDRA_COMMON_CHECKPOINT_CHECKPOINT_READER_H_

#include <cstddef>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/chain/block_key.h"
#include "common/checkpoint/file_opener.h"
#include "common/checkpoint/tensor_file_reader.h"
#include "common/model/model_table.h"
#include "hydra/checkpoint/v1/checkpoint.pb.h"

namespace hydra {

// An open checkpoint. Its blocks stay readable also when it is replaced or
// removed meanwhile. Every byte that is handed out has been checked against the
// sum that was taken when it was written. Reads nothing outside of the
// checkpoint's directory, whatever its files say.
//
// Thread-safe; movable. Blocks on the disk. Errors name the file, the tensor,
// and what was found and expected.
class CheckpointReader {
 public:
  // Reads the manifest and the headers; memory is a small multiple of theirs.
  //
  // NOT_FOUND: there is no such directory.
  // DATA_LOSS: a file is missing, or not as it was written.
  // INVALID_ARGUMENT: it was made by another version, or by something else.
  // PERMISSION_DENIED: a file may not be read, or is a link that leads out.
  // FAILED_PRECONDITION: a part of the directory's path is a link, or no
  //   directory.
  static absl::StatusOr<CheckpointReader> Open(
      const std::string& directory, const FileUser& user = FileUser());

  const checkpoint::v1::Manifest& manifest() const { return manifest_; }

  // Fills all of `out` with a block of that size. The bytes between tensors,
  // and moments that the checkpoint does not have, are zero.
  //
  // FAILED_PRECONDITION: the checkpoint has no such block, or the table does
  //   not fit.
  // DATA_LOSS: a tensor's bytes are not the ones that were written.
  // After an error the content of `out` is of no use.
  absl::Status ReadBlock(const BlockKey& key, const ModelTable& table,
                         absl::Span<std::byte> out) const;

  // Reads and checks every file. DATA_LOSS: one is not as it was written.
  absl::Status Verify() const;

 private:
  explicit CheckpointReader(FileOpener opener);

  absl::Status OpenTensorFiles();
  absl::Status ReadOrClear(const std::string& file, const BlockTensor& tensor,
                           std::byte* out) const;

  FileOpener opener_;
  checkpoint::v1::Manifest manifest_;
  std::map<std::string, TensorFileReader> tensor_files_;  // by name
};

// Opens a checkpoint and verifies it. Errors: as Open() and Verify().
absl::Status VerifyCheckpoint(const std::string& directory);

}  // namespace hydra

#endif  // HYDRA_COMMON_CHECKPOINT_CHECKPOINT_READER_H_
