#ifndef HYDRA_COMMON_CHECKPOINT_BLOCK_LAYOUT_H_
#define HYDRA_COMMON_CHECKPOINT_BLOCK_LAYOUT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/chain/block_key.h"
#include "common/model/model_table.h"
#include "common/safetensors/dtype.h"
#include "hydra/v1/job.pb.h"

namespace hydra {

// How the blocks of a job lie in the files of a checkpoint: which file a block
// is in, and its tensors there. Writer and reader share it.

inline constexpr char kModelFile[] = "model.safetensors";
inline constexpr char kAdapterFile[] = "adapter_model.safetensors";
inline constexpr char kOptimizerFile[] = "optimizer.safetensors";
inline constexpr char kBoundariesFile[] = "boundaries.safetensors";

// A tensor in a file, and its place in the block.
struct BlockTensor {
  std::string name;
  std::vector<int64_t> shape;
  // From the start of the block, and there; see FileBytesOf.
  int64_t offset_bytes = 0;
  int64_t size_bytes = 0;
  // There. The file has kFloat32 in place of kInt8: what the bytes stand for
  // (quantized_rows.h).
  ElementType type = ElementType::kFloat32;
  // One fp32 number in the block, and an int64 in the file: see
  // TensorUse::kCount.
  bool is_count = false;
  // A file that does not have it means that it is zero.
  bool may_be_absent = false;
};

// The type of the tensor's elements in its file, and its bytes there.
safetensors::Dtype FileDtypeOf(const BlockTensor& tensor);
int64_t FileBytesOf(const BlockTensor& tensor);

// Of a count: the int64 in the file, and the number in the block, the nearest
// one that there is.
int64_t CountInFile(const std::byte* in_block);
void StoreCount(int64_t count, std::byte* in_block);

struct BlockLayout {
  // One of those above.
  std::string file;
  // By ascending offset. The block's bytes between them are zero.
  std::vector<BlockTensor> tensors;
};

// Where the parameters are: of a model with adapters, these alone.
const char* ParametersFile(const ModelTable& table);

// Whether the parameter block is there.
bool IsInFile(const ModelTable& table, int block);

// Whether a job that goes on from a checkpoint has the block from there; else
// it has it from the model itself, like one that begins. So is what is frozen
// and of kInt8: the file has what its bytes stand for, and of that other bytes
// might be made.
bool IsRestored(const ModelTable& table, int block);

// The layout of a block of `size_bytes`. Parameters have their published names.
// A state block has each of them once for every moment of `train`'s optimizer,
// "NAME.exp_avg", or what factored_moments.h says, "NAME.exp_avg_sq_row"; and,
// of parameters with masters, once more, "NAME.master". The others are one flat
// tensor, "activation.INDEX.BATCH",
// "activation_gradient.INDEX.BATCH" or "parameter_gradient.INDEX".
//
// FAILED_PRECONDITION: the table has no such block, or one of another size.
// INVALID_ARGUMENT: an unknown kind.
absl::StatusOr<BlockLayout> LayOutBlock(const BlockKey& key, int64_t size_bytes,
                                        const ModelTable& table,
                                        const hydra::v1::TrainSpec& train);

}  // namespace hydra

#endif  // HYDRA_COMMON_CHECKPOINT_BLOCK_LAYOUT_H_
