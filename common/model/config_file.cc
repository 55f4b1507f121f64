#include "common/model/config_file.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/json/python_json.h"

namespace hydra {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kLanguageModel[] = "GPT2LMHeadModel";

// Of a head for classes, which is not trained and not written.
constexpr absl::string_view kHeadKeys[] = {"id2label", "label2id", "num_labels",
                                           "problem_type", "finetuning_task"};

// Names Python code that transformers would run in place of its own.
constexpr absl::string_view kCodeKeys[] = {"auto_map"};

// Hydra's own, and those with which transformers' GPT-2 computes nothing during
// training.
constexpr absl::string_view kKnownKeys[] = {"_attn_implementation",
                                            "_commit_hash",
                                            "_name_or_path",
                                            "activation_function",
                                            "add_cross_attention",
                                            "architectures",
                                            "attn_implementation",
                                            "attn_pdrop",
                                            "bad_words_ids",
                                            "begin_suppress_tokens",
                                            "bos_token_id",
                                            "chunk_size_feed_forward",
                                            "cross_attention_hidden_size",
                                            "decoder_start_token_id",
                                            "diversity_penalty",
                                            "do_sample",
                                            "dtype",
                                            "early_stopping",
                                            "embd_pdrop",
                                            "encoder_no_repeat_ngram_size",
                                            "eos_token_id",
                                            "exponential_decay_length_penalty",
                                            "forced_bos_token_id",
                                            "forced_eos_token_id",
                                            "gradient_checkpointing",
                                            "hidden_size",
                                            "initializer_range",
                                            "is_decoder",
                                            "is_encoder_decoder",
                                            "layer_norm_epsilon",
                                            "length_penalty",
                                            "max_length",
                                            "max_position_embeddings",
                                            "min_length",
                                            "model_type",
                                            "n_ctx",
                                            "n_embd",
                                            "n_head",
                                            "n_inner",
                                            "n_layer",
                                            "n_positions",
                                            "no_repeat_ngram_size",
                                            "num_attention_heads",
                                            "num_beam_groups",
                                            "num_beams",
                                            "num_hidden_layers",
                                            "num_return_sequences",
                                            "output_attentions",
                                            "output_hidden_states",
                                            "output_past",
                                            "output_scores",
                                            "pad_token_id",
                                            "prefix",
                                            "pruned_heads",
                                            "quantization_config",
                                            "remove_invalid_values",
                                            "reorder_and_upcast_attn",
                                            "repetition_penalty",
                                            "resid_pdrop",
                                            "return_dict",
                                            "return_dict_in_generate",
                                            "scale_attn_by_inverse_layer_idx",
                                            "scale_attn_weights",
                                            "sep_token_id",
                                            "summary_activation",
                                            "summary_first_dropout",
                                            "summary_proj_to_labels",
                                            "summary_type",
                                            "summary_use_proj",
                                            "suppress_tokens",
                                            "task_specific_params",
                                            "temperature",
                                            "tf_legacy_loss",
                                            "tie_encoder_decoder",
                                            "tie_word_embeddings",
                                            "tokenizer_class",
                                            "top_k",
                                            "top_p",
                                            "torch_dtype",
                                            "torchscript",
                                            "transformers_version",
                                            "typical_p",
                                            "use_bfloat16",
                                            "use_cache",
                                            "vocab_size"};

template <size_t kCount>
bool IsOneOf(const absl::string_view (&keys)[kCount], absl::string_view key) {
  return std::find(std::begin(keys), std::end(keys), key) != std::end(keys);
}

bool IsLanguageModel(const Json& config) {
  auto architectures = config.find("architectures");
  return architectures == config.end() || architectures->is_null() ||
         *architectures == Json{kLanguageModel};
}

// "id2label, num_labels", of the keys that are there and for which `is_wanted`.
template <typename Wanted>
std::string Keys(const Json& config, Wanted is_wanted) {
  std::vector<absl::string_view> keys;
  for (const auto& [key, value] : config.items()) {
    if (is_wanted(key)) keys.push_back(key);
  }
  constexpr size_t kMostShown = 8;
  const size_t count = keys.size();
  if (count > kMostShown) keys.resize(kMostShown);
  return absl::StrCat(absl::StrJoin(keys, ", "),
                      count > kMostShown
                          ? absl::StrCat(" and ", count - kMostShown, " more")
                          : "");
}

}  // namespace

std::vector<std::string> ConfigWarnings(absl::string_view config_json) {
  const absl::StatusOr<Json> config = ParsePythonJson(config_json);
  if (!config.ok()) return {};
  std::vector<std::string> warnings;
  if (!IsLanguageModel(*config)) {
    const std::string architectures =
        WritePythonJson((*config)["architectures"], /*indent=*/-1);
    warnings.push_back(absl::StrCat(
        "config.json: architectures is ", architectures.substr(0, 200),
        "; the trained model is a ", kLanguageModel));
  }
  const std::string head = Keys(
      *config, [](absl::string_view key) { return IsOneOf(kHeadKeys, key); });
  if (!head.empty()) {
    warnings.push_back(absl::StrCat(
        "config.json: ", head,
        " describes a head that is not trained; the trained model's has it "
        "not"));
  }
  if (config->contains("auto_map")) {
    warnings.push_back(
        "config.json: auto_map names code that is not run; the model is "
        "trained as transformers' own GPT-2");
  }
  const std::string unknown = Keys(*config, [](absl::string_view key) {
    return !IsOneOf(kKnownKeys, key) && !IsOneOf(kHeadKeys, key) &&
           !IsOneOf(kCodeKeys, key);
  });
  if (!unknown.empty()) {
    warnings.push_back(absl::StrCat(
        "config.json: Hydra does not know and does not use ", unknown));
  }
  return warnings;
}

absl::StatusOr<std::string> TrainedModelConfig(absl::string_view config_json) {
  absl::StatusOr<Json> config = ParsePythonJson(config_json);
  if (!config.ok()) return config.status();
  (*config)["architectures"] = Json{kLanguageModel};
  for (absl::string_view key : kHeadKeys) config->erase(std::string(key));
  for (absl::string_view key : kCodeKeys) config->erase(std::string(key));
  // transformers 5 writes dtype, and reads the older name too.
  const bool is_new = config->contains("dtype");
  if (is_new) (*config)["dtype"] = "float32";
  if (!is_new || config->contains("torch_dtype")) {
    (*config)["torch_dtype"] = "float32";
  }
  return absl::StrCat(WritePythonJson(*config, /*indent=*/2), "\n");
}

}  // namespace hydra
