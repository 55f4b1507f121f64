#ifndef HYDRA_COMMON_MODEL_BERT_TABLE_H_
#define HYDRA_COMMON_MODEL_BERT_TABLE_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/model/bert_config.h"
#include "common/model/model_families.h"
#include "common/model/model_table.h"

// The one description of BERT.
namespace hydra {

// What its layers compute, and the attributes of each.
inline constexpr char kBertEmbeddingOp[] = "bert.embedding";
inline constexpr char kBertBlockOp[] = "bert.block";
// Of masked tokens: kEpsilon. Of classes: kDropout.
inline constexpr char kBertMaskedHeadOp[] = "bert.masked_head";
inline constexpr char kBertClassHeadOp[] = "bert.class_head";

namespace bert {

inline constexpr char kHeads[] = "heads";
// Of the layer norms.
inline constexpr char kEpsilon[] = "epsilon";
// Probabilities with which the embedding, and each branch before its sum with
// the residual, or what the classifier takes, is dropped.
inline constexpr char kDropout[] = "dropout";
inline constexpr char kAttentionDropout[] = "attention_dropout";
// The row of the token embedding that has no gradient; -1: none.
inline constexpr char kPaddingToken[] = "padding_token";

}  // namespace bert

// The tensors of the masked head's first block.
namespace bert_head {
enum Tensor { kDenseWeight, kDenseBias, kNormWeight, kNormBias, kBias };
}  // namespace bert_head

// The chain of a BERT: layer 0 embeds (blocks 0: token embedding; 1: positions,
// token types, their norm), layers 1..n are encoder blocks (block 1 + layer),
// the last layer is the head. That of masked tokens has its transform and the
// bias of its table (bert_head), then the table: block 0 if tied, else a block
// of its own. That of classes has the pooler and the classifier in one block.
// Weights are [out, in], as torch.nn.Linear has them.
//
// Every boundary is an fp32 tensor [sequences, context, hidden_size] and the
// sequences' lengths, int64 [sequences]: what stands behind them is padding,
// which no token sees.
ModelTable BuildBertTable(const BertConfig& config);

// A Description, see model_families.h. INVALID_ARGUMENT: as ParseBertConfig.
absl::StatusOr<ModelTable> DescribeBert(absl::string_view config_json,
                                        const ModelOverrides& overrides);

}  // namespace hydra

#endif  // HYDRA_COMMON_MODEL_BERT_TABLE_H_
