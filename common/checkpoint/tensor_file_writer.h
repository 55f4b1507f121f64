#ifndef HYDRA_COMMON_CHECKPOINT_TENSOR_FILE_WRITER_H_
#define HYDRA_COMMON_CHECKPOINT_TENSOR_FILE_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/checkpoint/block_layout.h"
#include "common/checkpoint/tensor_sum.h"
#include "common/file/held_directory.h"
#include "common/safetensors/writer.h"
#include "hydra/checkpoint/v1/checkpoint.pb.h"

namespace hydra {

// Writes one safetensors file of a model or checkpoint and sums its tensors on
// the way, if asked to: memory is read once for both. Not thread-safe; movable.
// Blocks on the disk.
class TensorFileWriter {
 public:
  enum class Sums { kNone, kOfTensors };

  // The file will have all tensors of the layouts that name it, in that order.
  // Takes the disk space for all of it. Errors: as safetensors::Writer's.
  static absl::StatusOr<TensorFileWriter> Create(
      const HeldDirectory& directory, const std::string& name,
      absl::Span<const BlockLayout> layouts, Sums sums);

  // The bytes of the next layout's block.
  absl::Status Append(const BlockLayout& layout, const std::byte* block);

  // In place of a block's bytes, for all of its tensors in their order: those
  // of the next tensor in the block, or its bytes in the file in parts.
  absl::Status AppendTensor(const BlockTensor& tensor, const std::byte* bytes);
  absl::Status AppendPart(const BlockTensor& tensor, const std::byte* bytes,
                          int64_t size_bytes);

  // When this returns, the file is on the disk. What it must be like from now
  // on; with kNone that is its size alone.
  absl::StatusOr<checkpoint::v1::FileSum> Finish();

 private:
  TensorFileWriter(const std::string& name,
                   std::unique_ptr<safetensors::Writer> writer, Sums sums);

  // Of kInt8: what its rows stand for.
  absl::Status AppendRows(const BlockTensor& tensor, const std::byte* bytes);

  std::unique_ptr<safetensors::Writer> writer_;
  Sums sums_;
  // Of the tensor that is under way, and how many of its bytes are there.
  TensorSum tensor_sum_;
  int64_t tensor_bytes_ = 0;
  checkpoint::v1::FileSum sum_;
};

}  // namespace hydra

#endif  // HYDRA_COMMON_CHECKPOINT_TENSOR_FILE_WRITER_H_
