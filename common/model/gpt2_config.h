#ifndef HYDRA_COMMON_MODEL_GPT2_CONFIG_H_
#define HYDRA_COMMON_MODEL_GPT2_CONFIG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hydra {

// The dimensions of a GPT-2 language model, as Hugging Face's config.json names
// them. A value type.
struct Gpt2Config {
  int64_t vocab_size = 0;
  int64_t n_positions = 0;
  int64_t n_embd = 0;
  int64_t n_layer = 0;
  int64_t n_head = 0;
  // Width of the feed-forward layer; 4 * n_embd unless config.json says so.
  int64_t n_inner = 0;
  double layer_norm_epsilon = 1e-5;
  double initializer_range = 0.02;
  double embd_pdrop = 0;
  double attn_pdrop = 0;
  double resid_pdrop = 0;
  // The head's weight is the token embedding.
  bool tie_word_embeddings = true;
};

// Reads the text of a config.json whose model_type is "gpt2".
//
// INVALID_ARGUMENT: not JSON (see ParsePythonJson), not a GPT-2 that Hydra can
//   train (another activation, switches that change the arithmetic), or
//   nonsense dimensions; the message has one line for each mistake, "key: what
//   was found and what would be right". Nothing large is allocated.
absl::StatusOr<Gpt2Config> ParseGpt2Config(absl::string_view json);

}  // namespace hydra

#endif  // HYDRA_COMMON_MODEL_GPT2_CONFIG_H_
