#ifndef HYDRA_COMMON_MODEL_LLAMA_TABLE_H_
#define HYDRA_COMMON_MODEL_LLAMA_TABLE_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/model/llama_config.h"
#include "common/model/model_families.h"
#include "common/model/model_table.h"
#include "common/model/rotary_config.h"

// The one description of Llama, and of Mistral, Qwen2 and Qwen3.
namespace hydra {

// What their layers compute, and the attributes of each.
inline constexpr char kLlamaEmbeddingOp[] = "llama.embedding";  // kPaddingToken
inline constexpr char kLlamaBlockOp[] = "llama.block";          // the others
inline constexpr char kLlamaHeadOp[] = "llama.head";            // kEpsilon

namespace llama {

// The token whose row gets no gradient of the embedding; -1: none.
inline constexpr char kPaddingToken[] = "padding_token";
// Of the RMS norms.
inline constexpr char kEpsilon[] = "epsilon";
inline constexpr char kHeads[] = "heads";
inline constexpr char kKeyValueHeads[] = "key_value_heads";
inline constexpr char kHeadWidth[] = "head_width";
// 1: query, key and value have biases, each behind its weight.
inline constexpr char kHasBiases[] = "has_biases";
// 1: heads of query and key are normalized.
inline constexpr char kHasHeadNorms[] = "has_head_norms";
// Tokens that a token looks back at, itself included; 0: all.
inline constexpr char kWindow[] = "window";
inline constexpr char kAttentionDropout[] = "attention_dropout";

}  // namespace llama

// What of a block's attributes says how its heads turn.
RotaryConfig RotaryOf(const std::map<std::string, double>& attributes);

// The chain: layer 0 embeds (block 0: the token embedding), layers 1..n are
// transformer blocks (block of the layer's number), the last layer is the final
// norm with the head (its norm's block, then the head's weight: block 0 if
// tied, else a block of its own). Weights are [out, in], as torch.nn.Linear has
// them. Every boundary is one fp32 tensor [sequences, context, hidden_size].
ModelTable BuildLlamaTable(const LlamaConfig& config);

// Descriptions, see model_families.h. INVALID_ARGUMENT: as ParseLlamaConfig.
absl::StatusOr<ModelTable> DescribeLlama(absl::string_view config_json,
                                         const ModelOverrides& overrides);
absl::StatusOr<ModelTable> DescribeMistral(absl::string_view config_json,
                                           const ModelOverrides& overrides);
absl::StatusOr<ModelTable> DescribeQwen2(absl::string_view config_json,
                                         const ModelOverrides& overrides);
absl::StatusOr<ModelTable> DescribeQwen3(absl::string_view config_json,
                                         const ModelOverrides& overrides);

}  // namespace hydra

#endif  // HYDRA_COMMON_MODEL_LLAMA_TABLE_H_
