#ifndef HYDRA_COMMON_CHECKPOINT_TENSOR_FILE_READER_H_
#define HYDRA_COMMON_CHECKPOINT_TENSOR_FILE_READER_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/checkpoint/block_layout.h"
#include "common/checkpoint/file_opener.h"
#include "common/safetensors/reader.h"
#include "hydra/checkpoint/v1/checkpoint.pb.h"

namespace hydra {

// One safetensors file of a checkpoint, and what it must be like. Thread-safe;
// movable. Reading blocks on the disk. Errors name the file and the tensor.
class TensorFileReader {
 public:
  // DATA_LOSS: the file is missing or malformed, or its size, tensors or
  //   metadata are not the ones that were written.
  static absl::StatusOr<TensorFileReader> Open(const FileOpener& opener,
                                               checkpoint::v1::FileSum wanted);

  bool Has(const std::string& tensor) const;

  // Fills `out`, tensor.size_bytes, with a tensor that the file has.
  //
  // FAILED_PRECONDITION: its shape or type in the file is another one.
  // DATA_LOSS: its bytes do not have their sum; they are in `out`.
  absl::Status Read(const BlockTensor& tensor, std::byte* out) const;

  // Reads all of it. DATA_LOSS: as Read().
  absl::Status Verify() const;

 private:
  TensorFileReader(safetensors::Reader reader, checkpoint::v1::FileSum wanted);

  absl::Status CheckHeader() const;
  absl::Status ReadBytes(const std::string& tensor, int64_t size_bytes,
                         std::byte* out) const;
  absl::Status CheckSum(const std::string& tensor, uint64_t found) const;

  safetensors::Reader reader_;
  checkpoint::v1::FileSum wanted_;
};

}  // namespace hydra

#endif  // HYDRA_COMMON_CHECKPOINT_TENSOR_FILE_READER_H_
