#ifndef HYDRA_COMMON_MODEL_BERT_CONFIG_H_
#define HYDRA_COMMON_MODEL_BERT_CONFIG_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/model/class_labels.h"

namespace hydra {

// What stands on top of a BERT, as `architectures` of its config.json says.
enum class BertHead {
  // BertForMaskedLM; BertForPreTraining, of whose two heads it is one.
  kMaskedTokens,
  // BertForSequenceClassification.
  kClass,
};

// The dimensions of a BERT (Devlin et al., arXiv 1810.04805), as Hugging Face's
// config.json names them. A value type.
struct BertConfig {
  BertHead head = BertHead::kMaskedTokens;
  int64_t vocab_size = 0;
  int64_t hidden_size = 0;
  int64_t num_hidden_layers = 0;
  int64_t num_attention_heads = 0;
  // Width of the feed-forward layer.
  int64_t intermediate_size = 0;
  int64_t max_position_embeddings = 0;
  int64_t type_vocab_size = 2;
  double layer_norm_eps = 1e-12;
  double initializer_range = 0.02;
  double hidden_dropout_prob = 0.1;
  double attention_probs_dropout_prob = 0.1;
  // Of the pooled first token; hidden_dropout_prob where none is said.
  double classifier_dropout = 0.1;
  // The row of the token embedding that has no gradient as an input; -1: none.
  int64_t padding_token = 0;
  // The head's table is the token embedding.
  bool tie_word_embeddings = true;
  // Of BertHead::kClass. Classes are those of id2label; transformers' two where
  // there is none.
  int64_t num_labels = 2;
  // As ReadClassLabels says.
  ClassNumbers labels;
};

// Reads the text of a config.json whose model_type is "bert".
//
// INVALID_ARGUMENT: not JSON (see ParsePythonJson), not a BERT that Hydra can
//   train (another head or activation, a decoder), or nonsense dimensions; the
//   message has one line for each mistake, "key: what was found and what would
//   be right". Nothing large is allocated.
absl::StatusOr<BertConfig> ParseBertConfig(absl::string_view json);

}  // namespace hydra

#endif  // HYDRA_COMMON_MODEL_BERT_CONFIG_H_
