#include "common/model/config_file.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/json/python_json.h"
#include "common/model/two_byte_block.h"

namespace hydra {
namespace {

using Json = nlohmann::ordered_json;

// Of a head for classes: a model without one is trained and written without
// them.
constexpr absl::string_view kHeadKeys[] = {"id2label", "label2id", "num_labels",
                                           "problem_type", "finetuning_task"};

// Names Python code that transformers would run in place of its own.
constexpr absl::string_view kCodeKeys[] = {"auto_map"};

// That every architecture has: Hydra uses them, or transformers computes
// nothing with them during training.
constexpr absl::string_view kCommonKeys[] = {"_attn_implementation",
                                             "_commit_hash",
                                             "_name_or_path",
                                             "add_cross_attention",
                                             "architectures",
                                             "attn_implementation",
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
                                             "encoder_no_repeat_ngram_size",
                                             "eos_token_id",
                                             "exponential_decay_length_penalty",
                                             "forced_bos_token_id",
                                             "forced_eos_token_id",
                                             "gradient_checkpointing",
                                             "hidden_size",
                                             "is_decoder",
                                             "is_encoder_decoder",
                                             "length_penalty",
                                             "max_length",
                                             "max_position_embeddings",
                                             "min_length",
                                             "model_type",
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
                                             "repetition_penalty",
                                             "return_dict",
                                             "return_dict_in_generate",
                                             "sep_token_id",
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

template <typename Names>
bool IsOneOf(const Names& keys, absl::string_view key) {
  return std::find(std::begin(keys), std::end(keys), key) != std::end(keys);
}

bool IsOfItsClass(const Json& config, const ConfigNames& names) {
  auto architectures = config.find("architectures");
  return architectures == config.end() || architectures->is_null() ||
         *architectures == Json{names.model_class};
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

// transformers 5 writes dtype, and reads the older name too.
void SetType(ElementType type, Json& config) {
  const std::string name(ElementTypeName(type));
  const bool is_new = config.contains("dtype");
  if (is_new) config["dtype"] = name;
  if (!is_new || config.contains("torch_dtype")) config["torch_dtype"] = name;
}

std::string TextOf(const Json& config) {
  return absl::StrCat(WritePythonJson(config, /*indent=*/2), "\n");
}

}  // namespace

std::vector<std::string> ConfigWarnings(absl::string_view config_json,
                                        const ConfigNames& names) {
  if (names.model_class.empty()) return {};
  const absl::StatusOr<Json> config = ParsePythonJson(config_json);
  if (!config.ok()) return {};
  std::vector<std::string> warnings;
  if (!IsOfItsClass(*config, names)) {
    const std::string architectures =
        WritePythonJson((*config)["architectures"], /*indent=*/-1);
    warnings.push_back(absl::StrCat(
        "config.json: architectures is ", architectures.substr(0, 200),
        "; the trained model is a ", names.model_class));
  }
  const std::string head = Keys(
      *config, [](absl::string_view key) { return IsOneOf(kHeadKeys, key); });
  if (!head.empty() && !names.classifies) {
    warnings.push_back(absl::StrCat(
        "config.json: ", head,
        " describes a head that is not trained; the trained model's has it "
        "not"));
  }
  if (config->contains("auto_map")) {
    warnings.push_back(absl::StrCat(
        "config.json: auto_map names code that is not run; the model is "
        "trained as transformers' own ",
        names.family));
  }
  const std::string unknown = Keys(*config, [&](absl::string_view key) {
    return !IsOneOf(kCommonKeys, key) && !IsOneOf(names.keys, key) &&
           !IsOneOf(kHeadKeys, key) && !IsOneOf(kCodeKeys, key);
  });
  if (!unknown.empty()) {
    warnings.push_back(absl::StrCat(
        "config.json: Hydra does not know and does not use ", unknown));
  }
  return warnings;
}

absl::StatusOr<std::string> TrainedModelConfig(absl::string_view config_json,
                                               const ConfigNames& names,
                                               ElementType trained_type) {
  absl::StatusOr<Json> config = ParsePythonJson(config_json);
  if (!config.ok()) return config.status();
  if (names.model_class.empty()) return std::string(config_json);
  (*config)["architectures"] = Json{names.model_class};
  if (!names.classifies) {
    for (absl::string_view key : kHeadKeys) config->erase(std::string(key));
  }
  for (absl::string_view key : kCodeKeys) config->erase(std::string(key));
  SetType(trained_type, *config);
  return TextOf(*config);
}

absl::StatusOr<std::string> WithWeightsType(absl::string_view config_json,
                                            ElementType type) {
  absl::StatusOr<Json> config = ParsePythonJson(config_json);
  if (!config.ok()) return config.status();
  SetType(type, *config);
  return TextOf(*config);
}

absl::StatusOr<std::string> WithClassLabels(absl::string_view config_json,
                                            const ConfigNames& names,
                                            const ClassNumbers& classes) {
  absl::StatusOr<Json> config = ParsePythonJson(config_json);
  if (!config.ok()) return config.status();
  std::vector<std::string> by_number(classes.size());
  for (const auto& [name, number] : classes) by_number.at(number) = name;
  Json label2id = Json::object();
  Json id2label = Json::object();
  for (size_t i = 0; i < by_number.size(); ++i) {
    label2id[by_number[i]] = i;
    id2label[absl::StrCat(i)] = by_number[i];
  }
  // A chain has what its format says, and nothing that says it twice.
  if (!names.model_class.empty()) (*config)["id2label"] = std::move(id2label);
  (*config)["label2id"] = std::move(label2id);
  return TextOf(*config);
}

}  // namespace hydra
