#ifndef HYDRA_COMMON_MODEL_GPT2_TABLE_H_
#define HYDRA_COMMON_MODEL_GPT2_TABLE_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/model/gpt2_config.h"
#include "common/model/model_families.h"
#include "common/model/model_table.h"

// The one description of GPT-2.
namespace hydra {

// What its layers compute, and the attributes of each.
inline constexpr char kGpt2EmbeddingOp[] = "gpt2.embedding";  // kDropout
inline constexpr char kGpt2BlockOp[] = "gpt2.block";          // all of them
inline constexpr char kGpt2HeadOp[] = "gpt2.head";            // kEpsilon

namespace gpt2 {

// Probabilities with which the embedding, and each residual sum, is dropped.
inline constexpr char kDropout[] = "dropout";
inline constexpr char kAttentionDropout[] = "attention_dropout";
// Of the layer norms.
inline constexpr char kEpsilon[] = "epsilon";
inline constexpr char kHeads[] = "heads";

}  // namespace gpt2

// The chain of a GPT-2: layer 0 embeds (blocks 0: token embedding, 1: position
// embedding), layers 1..n_layer are transformer blocks (block 1 + layer), the
// last layer is the final norm with the head (its norm's block, then the head's
// weight: block 0 if tied, else a block of its own). Every boundary is one fp32
// tensor [sequences, context, n_embd].
ModelTable BuildGpt2Table(const Gpt2Config& config);

// A Description, see model_families.h. INVALID_ARGUMENT: as ParseGpt2Config.
absl::StatusOr<ModelTable> DescribeGpt2(absl::string_view config_json,
                                        const ModelOverrides& overrides);

}  // namespace hydra

#endif  // HYDRA_COMMON_MODEL_GPT2_TABLE_H_
