#include "common/model/llama_config.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/json/python_json.h"
#include "common/model/config_reader.h"

namespace hydra {
namespace {

using Json = ConfigReader::Json;

constexpr int64_t kMaxWidth = kMaxDimension / 16;
constexpr int64_t kMaxHeadWidth = 1 << 16;
// Of a Qwen3 whose config.json does not say it.
constexpr int64_t kQwen3HeadWidth = 128;
// transformers' names for x / (1 + exp(-x)).
constexpr const char* kSilu[] = {"silu", "swish"};

bool IsQwen(LlamaFamily family) {
  return family == LlamaFamily::kQwen2 || family == LlamaFamily::kQwen3;
}

// transformers takes each attention head for one of keys and values if the key
// is null; if it is missing, Llama does so too, and others take a number of
// their own.
void ReadKeyValueHeads(const Json& json, ConfigReader& reader,
                       LlamaConfig& config) {
  constexpr char kKey[] = "num_key_value_heads";
  config.num_key_value_heads = config.num_attention_heads;
  if (config.family != LlamaFamily::kLlama && !json.contains(kKey)) {
    reader.Fail(kKey, absl::StrCat("missing; an integer from 1 to ", kMaxWidth,
                                   " is needed"));
    return;
  }
  reader.OptionalDimension(kKey, kMaxWidth, config.num_key_value_heads);
  if (config.num_key_value_heads > 0 &&
      config.num_attention_heads % config.num_key_value_heads != 0) {
    reader.Fail(kKey, absl::StrCat("found ", config.num_key_value_heads,
                                   "; it must divide num_attention_heads, ",
                                   config.num_attention_heads));
  }
}

void ReadHeadWidth(ConfigReader& reader, LlamaConfig& config) {
  constexpr char kKey[] = "head_dim";
  const int64_t heads = config.num_attention_heads;
  if (reader.Has(kKey)) {
    reader.OptionalDimension(kKey, kMaxHeadWidth, config.head_dim);
  } else if (config.family == LlamaFamily::kQwen3) {
    config.head_dim = kQwen3HeadWidth;
  } else if (heads > 0 && config.hidden_size % heads != 0) {
    reader.Fail("num_attention_heads",
                absl::StrCat("found ", heads, "; it must divide hidden_size, ",
                             config.hidden_size,
                             ", where head_dim is not "
                             "given"));
  } else if (heads > 0) {
    config.head_dim = config.hidden_size / heads;
  }
  if (config.head_dim % 2 != 0) {
    reader.Fail(kKey, absl::StrCat("is ", config.head_dim,
                                   "; it must be even, since rotary embeddings "
                                   "turn pairs"));
  }
  if (heads * config.head_dim > kMaxDimension) {
    reader.Fail(kKey,
                absl::StrCat("all heads together are ", heads * config.head_dim,
                             " wide; ", kMaxDimension, " are the most"));
    config.head_dim = 0;
  }
}

// Which layers look back at `window` tokens only, as the list of layer_types
// says.
void ReadLayerTypes(const Json& types, int64_t window, ConfigReader& reader,
                    LlamaConfig& config) {
  constexpr char kKey[] = "layer_types";
  if (!types.is_array() ||
      static_cast<int64_t>(types.size()) != config.num_hidden_layers) {
    reader.Fail(kKey,
                absl::StrCat("found ", ShownJson(types), " of ", types.size(),
                             "; a list of ", config.num_hidden_layers,
                             ", one for each layer, is needed"));
    return;
  }
  for (size_t i = 0; i < types.size(); ++i) {
    if (types[i] == "sliding_attention") {
      if (window == 0) {
        reader.Fail(kKey, absl::StrCat("layer ", i,
                                       " is sliding_attention, and there is no "
                                       "sliding_window in use"));
        return;
      }
      config.windows[i] = window;
    } else if (types[i] != "full_attention") {
      reader.Fail(kKey,
                  absl::StrCat("found ", ShownJson(types[i]), " for layer ", i,
                               "; supported are full_attention, "
                               "sliding_attention"));
      return;
    }
  }
}

// Mistral's layers all have the window. Qwen's have it if use_sliding_window
// says so, and then those from max_window_layers on, or what layer_types names.
void ReadWindows(const Json& json, ConfigReader& reader, LlamaConfig& config) {
  if (config.family == LlamaFamily::kLlama) return;
  constexpr char kKey[] = "sliding_window";
  bool is_used = true;
  if (IsQwen(config.family)) {
    is_used = false;
    reader.OptionalBool("use_sliding_window", is_used);
  }
  if (is_used && !json.contains(kKey)) {
    reader.Fail(kKey,
                absl::StrCat("missing; an integer from 1 to ", kMaxDimension,
                             ", or null for none, is needed"));
    return;
  }
  int64_t window = 0;
  if (is_used) reader.OptionalDimension(kKey, kMaxDimension, window);
  if (!IsQwen(config.family)) {
    config.windows.assign(config.num_hidden_layers, window);
    return;
  }
  if (reader.Has("layer_types")) {
    ReadLayerTypes(json.at("layer_types"), window, reader, config);
    return;
  }
  if (window == 0) return;
  int64_t first = 28;
  // 0 is no dimension, and all layers have the window.
  if (json.contains("max_window_layers") && json["max_window_layers"] == 0) {
    first = 0;
  } else {
    reader.OptionalDimension("max_window_layers", kMaxDimension, first);
  }
  for (int64_t i = first; i < config.num_hidden_layers; ++i) {
    config.windows[i] = window;
  }
}

// As torch.nn.Embedding counts: from behind if it is negative.
void ReadPaddingToken(const Json& json, ConfigReader& reader,
                      LlamaConfig& config) {
  constexpr char kKey[] = "pad_token_id";
  if (!reader.Has(kKey)) return;
  const Json& found = json.at(kKey);
  const int64_t vocabulary = config.vocab_size;
  if (!found.is_number_integer() ||
      (found.is_number_unsigned() &&
       found.get<uint64_t>() > static_cast<uint64_t>(kMaxDimension)) ||
      found.get<int64_t>() < -vocabulary ||
      found.get<int64_t>() >= vocabulary) {
    reader.Fail(kKey, absl::StrCat("found ", ShownJson(found),
                                   "; null, or an integer from ", -vocabulary,
                                   " to ", vocabulary - 1, ", is needed"));
    return;
  }
  const auto token = found.get<int64_t>();
  config.padding_token = token < 0 ? token + vocabulary : token;
}

// What norms and biases add is small.
int64_t ParametersOf(const LlamaConfig& config) {
  const int64_t heads =
      2 * (config.num_attention_heads + config.num_key_value_heads);
  return config.hidden_size *
         ((config.tie_word_embeddings ? 1 : 2) * config.vocab_size +
          config.num_hidden_layers *
              (heads * config.head_dim + 3 * config.intermediate_size));
}

}  // namespace

absl::StatusOr<LlamaConfig> ParseLlamaConfig(LlamaFamily family,
                                             absl::string_view text) {
  const absl::StatusOr<Json> parsed = ParsePythonJson(text);
  if (!parsed.ok()) return parsed.status();
  const Json& json = *parsed;
  LlamaConfig config;
  config.family = family;
  config.has_biases = family == LlamaFamily::kQwen2;
  config.has_head_norms = family == LlamaFamily::kQwen3;
  ConfigReader reader(json);
  reader.Dimension("vocab_size", nullptr, kMaxDimension, config.vocab_size);
  reader.Dimension("max_position_embeddings", nullptr, kMaxDimension,
                   config.max_position_embeddings);
  reader.Dimension("hidden_size", nullptr, kMaxWidth, config.hidden_size);
  reader.Dimension("intermediate_size", nullptr, kMaxDimension,
                   config.intermediate_size);
  reader.Dimension("num_hidden_layers", nullptr, kMaxLayers,
                   config.num_hidden_layers);
  reader.Dimension("num_attention_heads", nullptr, kMaxWidth,
                   config.num_attention_heads);
  ReadKeyValueHeads(json, reader, config);
  ReadHeadWidth(reader, config);
  config.windows.assign(config.num_hidden_layers, 0);
  ReadWindows(json, reader, config);
  ReadPaddingToken(json, reader, config);
  config.rotary = ReadRotaryConfig(json, reader);
  reader.OptionalNumber("rms_norm_eps", 1e-12, 1, config.rms_norm_eps);
  reader.OptionalNumber("initializer_range", 0, 10, config.initializer_range);
  reader.OptionalNumber("attention_dropout", 0, 0.99, config.attention_dropout);
  reader.OptionalBool("tie_word_embeddings", config.tie_word_embeddings);
  reader.MustBeOneOf("hidden_act", kSilu);
  // Qwen2's biases are its family's own, whatever this says.
  if (family != LlamaFamily::kQwen2) reader.MustBe("attention_bias", false);
  reader.MustBe("mlp_bias", false);
  reader.MustBe("rope_interleaved", false);
  reader.MustBe("add_cross_attention", false);
  reader.MustBe("is_encoder_decoder", false);
  reader.MustBeEmpty("pruned_heads");
  reader.MustBeEmpty("quantization_config");
  // Of wrong numbers the product may be no int64_t.
  if (absl::Status status = reader.Result(); !status.ok()) return status;
  reader.AtMostParameters("num_hidden_layers", ParametersOf(config));
  if (absl::Status status = reader.Result(); !status.ok()) return status;
  return config;
}

}  // namespace hydra
