#ifndef HYDRA_COMMON_MODEL_MODEL_TABLE_H_
#define HYDRA_COMMON_MODEL_MODEL_TABLE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "common/model/gpt2_config.h"

namespace hydra {

// A model as everything but the worker's arithmetic sees it: a chain of layers,
// the parameter blocks that they use, and where each tensor lies in its block.
// Pure values; build one with BuildGpt2Table. Everything is fp32.

// Every tensor of a block begins at a multiple of this.
inline constexpr int64_t kTensorAlignmentBytes = 64;
inline constexpr int64_t kFloatBytes = 4;

// How a tensor that is not read from a checkpoint begins.
struct TensorInit {
  enum class Kind { kZero, kOne, kNormal };
  Kind kind = Kind::kZero;
  // Of kNormal; its mean is 0.
  double standard_deviation = 0;
};

// One named tensor inside a parameter block.
struct TensorEntry {
  // As published checkpoints name it: "transformer.h.0.attn.c_attn.weight".
  std::string name;
  std::vector<int64_t> shape;
  int64_t element_count = 0;
  // From the start of its block.
  int64_t offset_bytes = 0;
  TensorInit init;
};

// A contiguous range of parameters that moves, updates and is versioned as one.
// Bytes between tensors are zero and stay zero under every optimizer.
struct ParameterBlock {
  std::vector<TensorEntry> tensors;
  // A multiple of kTensorAlignmentBytes.
  int64_t size_bytes = 0;
  // The layers that use it, ascending. With more than one it is tied: the later
  // ones hand their part of its gradient down, and the first one updates it.
  std::vector<int> layers;

  int64_t element_count() const { return size_bytes / kFloatBytes; }
  bool tied() const { return layers.size() > 1; }
  // Its update belongs to this layer's BACKWARD.
  int owner() const { return layers.front(); }
};

enum class LayerKind { kEmbedding, kBlock, kHead };

// "embedding", "block", "head".
const char* LayerKindName(LayerKind kind);

// One link of the chain. Every layer but the first takes one boundary tensor,
// fp32 [sequences, context, width]; every layer but the last makes one. The
// first takes token ids, the last takes the target ids too and makes the loss.
struct Layer {
  LayerKind kind = LayerKind::kBlock;
  // Indices into ModelTable::parameter_blocks, in the order that the layer's
  // arithmetic expects.
  std::vector<int> parameter_blocks;
};

struct ModelTable {
  Gpt2Config config;
  std::vector<Layer> layers;
  std::vector<ParameterBlock> parameter_blocks;

  int layer_count() const { return static_cast<int>(layers.size()); }
  // Of all blocks, padding included.
  int64_t ParameterBytes() const;
  // Numbers that training changes, padding not included.
  int64_t ParameterCount() const;
  // Bytes of the boundary tensor between two layers.
  int64_t BoundaryBytes(int64_t sequences, int64_t context) const;
};

// The chain of a GPT-2: layer 0 embeds (blocks 0: token embedding, 1: position
// embedding), layers 1..n_layer are transformer blocks (block 1 + layer), the
// last layer is the final norm with the head (its norm's block, then the head's
// weight: block 0 if tied, else a block of its own).
ModelTable BuildGpt2Table(const Gpt2Config& config);

}  // namespace hydra

#endif  // HYDRA_COMMON_MODEL_MODEL_TABLE_H_
