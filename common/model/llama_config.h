#ifndef HYDRA_COMMON_MODEL_LLAMA_CONFIG_H_
#define HYDRA_COMMON_MODEL_LLAMA_CONFIG_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/model/rotary_config.h"

namespace hydra {

// Families that differ from Llama in little, by their model_type: "llama",
// "mistral", "qwen2" and "qwen3".
enum class LlamaFamily { kLlama, kMistral, kQwen2, kQwen3 };

// The dimensions of a language model of one of them, as Hugging Face's
// config.json names them, with what the family itself says filled in. A value
// type.
struct LlamaConfig {
  LlamaFamily family = LlamaFamily::kLlama;
  int64_t vocab_size = 0;
  int64_t max_position_embeddings = 0;
  int64_t hidden_size = 0;
  int64_t intermediate_size = 0;
  int64_t num_hidden_layers = 0;
  int64_t num_attention_heads = 0;
  // Divides num_attention_heads.
  int64_t num_key_value_heads = 0;
  // Even.
  int64_t head_dim = 0;
  double rms_norm_eps = 1e-6;
  double initializer_range = 0.02;
  double attention_dropout = 0;
  RotaryConfig rotary;
  // Query, key and value have biases.
  bool has_biases = false;
  // Each head's query and key are normalized.
  bool has_head_norms = false;
  // Of each layer: how many tokens a token looks back at, itself included. 0:
  // at all.
  std::vector<int64_t> windows;
  // The token whose embedding is not trained by being looked up. -1: none.
  int64_t padding_token = -1;
  // The head's weight is the token embedding.
  bool tie_word_embeddings = false;
};

// Reads the text of a config.json of that family.
//
// INVALID_ARGUMENT: not JSON (see ParsePythonJson), not a model that Hydra can
//   train (another activation, biases elsewhere, another scaling of rotary
//   embeddings), or nonsense dimensions; the message has one line for each
//   mistake, "key: what was found and what would be right". Nothing large is
//   allocated.
absl::StatusOr<LlamaConfig> ParseLlamaConfig(LlamaFamily family,
                                             absl::string_view json);

}  // namespace hydra

#endif  // HYDRA_COMMON_MODEL_LLAMA_CONFIG_H_
