#include "common/model/llama_table.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/model/layer_memory.h"
#include "common/model/table_parts.h"

namespace hydra {
namespace {

constexpr char kModule[] = "model.";

// Of RotaryConfig, in a block's attributes.
constexpr char kRotaryTheta[] = "rotary_theta";
constexpr char kRotaryType[] = "rotary_type";
constexpr char kRotaryFactor[] = "rotary_factor";
constexpr char kRotaryLow[] = "rotary_low_freq_factor";
constexpr char kRotaryHigh[] = "rotary_high_freq_factor";
constexpr char kRotaryOriginal[] = "rotary_original_context";

struct FamilyNames {
  // config.json's model_type.
  const char* model_type;
  // See ConfigNames.
  const char* family;
  const char* model_class;
};

FamilyNames NamesOf(LlamaFamily family) {
  switch (family) {
    case LlamaFamily::kLlama:
      return {"llama", "Llama", "LlamaForCausalLM"};
    case LlamaFamily::kMistral:
      return {"mistral", "Mistral", "MistralForCausalLM"};
    case LlamaFamily::kQwen2:
      return {"qwen2", "Qwen2", "Qwen2ForCausalLM"};
    case LlamaFamily::kQwen3:
      return {"qwen3", "Qwen3", "Qwen3ForCausalLM"};
  }
  return {"", "", ""};
}

TensorInit WeightInit(const LlamaConfig& config) {
  return Normal(config.initializer_range);
}

// Looked up by token. A tied head's checkpoint may have it as the head's.
ParameterBlock TokenTable(const LlamaConfig& config) {
  ParameterBlock block =
      OneTensor(absl::StrCat(kModule, "embed_tokens.weight"),
                {config.vocab_size, config.hidden_size}, WeightInit(config));
  block.rows_are_gathered = true;
  if (config.tie_word_embeddings) {
    block.tensors.front().alias = "lm_head.weight";
  }
  return block;
}

ParameterBlock TransformerBlock(const LlamaConfig& config, int64_t index) {
  const int64_t width = config.hidden_size;
  const int64_t inner = config.intermediate_size;
  const int64_t queries = config.num_attention_heads * config.head_dim;
  const int64_t keys = config.num_key_value_heads * config.head_dim;
  const std::string prefix = absl::StrCat(kModule, "layers.", index, ".");
  ParameterBlock block;
  const auto norm = [&](const char* name, int64_t size) {
    AddTensor(absl::StrCat(prefix, name, ".weight"), {size}, kOne, block);
  };
  const auto weight = [&](const char* name, int64_t out, int64_t in) {
    AddLinear(absl::StrCat(prefix, name, ".weight"), {out, in},
              LinearLayout::kOutIn, WeightInit(config), block);
  };
  const auto projection = [&](const char* name, int64_t out) {
    weight(name, out, width);
    if (!config.has_biases) return;
    AddTensor(absl::StrCat(prefix, name, ".bias"), {out}, kZero, block);
  };
  norm("input_layernorm", width);
  projection("self_attn.q_proj", queries);
  projection("self_attn.k_proj", keys);
  projection("self_attn.v_proj", keys);
  if (config.has_head_norms) {
    norm("self_attn.q_norm", config.head_dim);
    norm("self_attn.k_norm", config.head_dim);
  }
  weight("self_attn.o_proj", width, queries);
  norm("post_attention_layernorm", width);
  weight("mlp.gate_proj", inner, width);
  weight("mlp.up_proj", inner, width);
  weight("mlp.down_proj", width, inner);
  return block;
}

// Layers' windows in a row that are equal, as "4096x3,0x1".
std::string WindowsText(const LlamaConfig& config) {
  std::vector<std::pair<int64_t, int64_t>> runs;
  for (int64_t window : config.windows) {
    if (runs.empty() || runs.back().first != window)
      runs.push_back({window, 0});
    ++runs.back().second;
  }
  return absl::StrJoin(runs, ",", absl::PairFormatter("x"));
}

// Its form is on disks: see ModelTable::architecture_key.
std::string KeyOf(const LlamaConfig& config) {
  return absl::StrCat(
      NamesOf(config.family).model_type, " vocab=", config.vocab_size,
      " positions=", config.max_position_embeddings,
      " width=", config.hidden_size, " layers=", config.num_hidden_layers,
      " heads=", config.num_attention_heads, "/", config.num_key_value_heads,
      "x", config.head_dim, " inner=", config.intermediate_size,
      " windows=", WindowsText(config), " tied=", config.tie_word_embeddings,
      " dropout=", config.attention_dropout,
      " padding=", config.padding_token >= 0);
}

WeightNames OwnWeightNames() {
  WeightNames names;
  names.module_prefix = kModule;
  names.landmark = "layers.0.input_layernorm.weight";
  names.unread_suffixes = {".rotary_emb.inv_freq"};
  names.unread_what = "tables of rotary frequencies";
  names.unread_why = "they follow from config.json";
  return names;
}

ConfigNames OwnConfigNames(LlamaFamily family) {
  ConfigNames names;
  names.family = NamesOf(family).family;
  names.model_class = NamesOf(family).model_class;
  names.keys = {"attention_bias",
                "attention_dropout",
                "head_dim",
                "hidden_act",
                "initializer_range",
                "intermediate_size",
                "is_llama_config",
                "mlp_bias",
                "num_key_value_heads",
                "partial_rotary_factor",
                "pretraining_tp",
                "rms_norm_eps",
                "original_max_position_embeddings",
                "rope_interleaved",
                "rope_parameters",
                "rope_scaling",
                "rope_theta"};
  if (family != LlamaFamily::kLlama) names.keys.push_back("sliding_window");
  if (family == LlamaFamily::kQwen2 || family == LlamaFamily::kQwen3) {
    for (const char* key :
         {"layer_types", "max_window_layers", "use_sliding_window"}) {
      names.keys.push_back(key);
    }
  }
  return names;
}

// As llama_block.cc computes.
LayerMemory BlockMemory(const LlamaConfig& config) {
  AttentionMemory attention;
  attention.heads = config.num_attention_heads;
  attention.query_width = config.num_attention_heads * config.head_dim;
  attention.key_width = config.num_key_value_heads * config.head_dim;
  const BoundaryTensor hidden = PerToken(config.hidden_size);
  const BoundaryTensor inner = PerToken(config.intermediate_size);
  const BoundaryTensor query = PerToken(attention.query_width);
  const BoundaryTensor key = PerToken(attention.key_width);
  LayerMemory memory;
  memory.kept = {query, key, key, query, hidden, inner, inner};
  memory.forward = {attention.Forward(), {hidden, hidden, inner, inner}};
  // All that was kept, and one more inside of the feed-forward layer; then the
  // attention, and the gradient of its half.
  memory.backward = {{query, key, key, query, hidden, inner, inner, inner},
                     attention.Backward()};
  memory.backward.back().push_back(hidden);
  if (config.has_head_norms) {
    // Queries and keys stay as they were projected, too.
    for (auto* moment : {&memory.forward.front(), &memory.backward.back()}) {
      moment->push_back(query);
      moment->push_back(key);
    }
  }
  return memory;
}

LayerEntry Embedding(const LlamaConfig& config) {
  LayerEntry layer;
  layer.op = kLlamaEmbeddingOp;
  layer.kind = "embedding";
  layer.attributes = {
      {llama::kPaddingToken, static_cast<double>(config.padding_token)}};
  return layer;
}

LayerEntry Block(const LlamaConfig& config, int64_t index) {
  LayerEntry layer;
  layer.op = kLlamaBlockOp;
  layer.kind = "block";
  const RotaryConfig& rotary = config.rotary;
  layer.attributes = {
      {llama::kEpsilon, config.rms_norm_eps},
      {llama::kHeads, config.num_attention_heads},
      {llama::kKeyValueHeads, config.num_key_value_heads},
      {llama::kHeadWidth, config.head_dim},
      {llama::kHasBiases, config.has_biases},
      {llama::kHasHeadNorms, config.has_head_norms},
      {llama::kWindow, config.windows[index]},
      {llama::kAttentionDropout, config.attention_dropout},
      {kRotaryTheta, rotary.rope_theta},
      {kRotaryType, static_cast<double>(rotary.type)},
      {kRotaryFactor, rotary.factor},
      {kRotaryLow, rotary.low_freq_factor},
      {kRotaryHigh, rotary.high_freq_factor},
      {kRotaryOriginal, rotary.original_max_position_embeddings}};
  // Every token's product with every other one's, twice.
  layer.flops_per_token_pair = 4 * config.num_attention_heads * config.head_dim;
  layer.memory = BlockMemory(config);
  return layer;
}

LayerEntry Head(const LlamaConfig& config) {
  LayerEntry layer;
  layer.op = kLlamaHeadOp;
  layer.kind = "head";
  layer.streamed_block = 1;
  layer.memory = HeadMemory(config.hidden_size, config.vocab_size);
  layer.attributes = {{llama::kEpsilon, config.rms_norm_eps}};
  return layer;
}

absl::StatusOr<ModelTable> DescribeFamily(LlamaFamily family,
                                          absl::string_view config_json,
                                          const ModelOverrides& overrides) {
  absl::StatusOr<LlamaConfig> config = ParseLlamaConfig(family, config_json);
  if (!config.ok()) return config.status();
  if (overrides.dropout.has_value()) {
    config->attention_dropout = *overrides.dropout;
  }
  return BuildLlamaTable(*config);
}

}  // namespace

RotaryConfig RotaryOf(const std::map<std::string, double>& attributes) {
  RotaryConfig rotary;
  rotary.rope_theta = attributes.at(kRotaryTheta);
  rotary.type = static_cast<RotaryConfig::Type>(
      static_cast<int>(attributes.at(kRotaryType)));
  rotary.factor = attributes.at(kRotaryFactor);
  rotary.low_freq_factor = attributes.at(kRotaryLow);
  rotary.high_freq_factor = attributes.at(kRotaryHigh);
  rotary.original_max_position_embeddings =
      static_cast<int64_t>(attributes.at(kRotaryOriginal));
  return rotary;
}

ModelTable BuildLlamaTable(const LlamaConfig& config) {
  ModelTable table;
  table.vocabulary_size = config.vocab_size;
  table.longest_context = config.max_position_embeddings;
  table.architecture_key = KeyOf(config);
  table.weight_names = OwnWeightNames();
  table.config_names = OwnConfigNames(config.family);
  table.lora_modules = {"q_proj", "v_proj"};

  const int tokens = AddBlock(TokenTable(config), table);
  AddLayer(Embedding(config), {tokens}, table);
  for (int64_t i = 0; i < config.num_hidden_layers; ++i) {
    AddLayer(Block(config, i), {AddBlock(TransformerBlock(config, i), table)},
             table);
  }
  const int norm = AddBlock(OneTensor(absl::StrCat(kModule, "norm.weight"),
                                      {config.hidden_size}, kOne),
                            table);
  const int head =
      config.tie_word_embeddings
          ? tokens
          : AddBlock(OneTensor("lm_head.weight",
                               {config.vocab_size, config.hidden_size},
                               WeightInit(config)),
                     table);
  const BoundaryTensor hidden = {
      ElementType::kFloat32,
      {kBatchSequences, kBatchContext, config.hidden_size}};
  for (LayerEntry& layer : table.layers) layer.outputs = {hidden};
  AddLayer(Head(config), {norm, head}, table);

  NoteUsers(table);
  return table;
}

absl::StatusOr<ModelTable> DescribeLlama(absl::string_view config_json,
                                         const ModelOverrides& overrides) {
  return DescribeFamily(LlamaFamily::kLlama, config_json, overrides);
}

absl::StatusOr<ModelTable> DescribeMistral(absl::string_view config_json,
                                           const ModelOverrides& overrides) {
  return DescribeFamily(LlamaFamily::kMistral, config_json, overrides);
}

absl::StatusOr<ModelTable> DescribeQwen2(absl::string_view config_json,
                                         const ModelOverrides& overrides) {
  return DescribeFamily(LlamaFamily::kQwen2, config_json, overrides);
}

absl::StatusOr<ModelTable> DescribeQwen3(absl::string_view config_json,
                                         const ModelOverrides& overrides) {
  return DescribeFamily(LlamaFamily::kQwen3, config_json, overrides);
}

}  // namespace hydra
