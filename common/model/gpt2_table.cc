#include "common/model/gpt2_table.h"

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/model/layer_memory.h"
#include "common/model/table_parts.h"

namespace hydra {
namespace {

constexpr char kModule[] = "transformer.";

// Looked up by token. A tied head's checkpoint may have it as the head's.
ParameterBlock TokenTable(const Gpt2Config& config, TensorInit weight) {
  ParameterBlock block = OneTensor(absl::StrCat(kModule, "wte.weight"),
                                   {config.vocab_size, config.n_embd}, weight);
  block.rows_are_gathered = true;
  if (config.tie_word_embeddings) {
    block.tensors.front().alias = "lm_head.weight";
  }
  return block;
}

// Hugging Face's Conv1D keeps weights as [in, out].
ParameterBlock TransformerBlock(const Gpt2Config& config, int64_t index) {
  const int64_t width = config.n_embd;
  const int64_t inner = config.n_inner;
  const TensorInit weight = Normal(config.initializer_range);
  const TensorInit residual =
      Normal(config.initializer_range / std::sqrt(2.0 * config.n_layer));
  const std::string prefix = absl::StrCat(kModule, "h.", index, ".");
  ParameterBlock block;
  const auto linear = [&](const char* name, std::vector<int64_t> shape,
                          TensorInit init) {
    AddLinear(prefix + name, std::move(shape), LinearLayout::kInOut, init,
              block);
  };
  AddTensor(prefix + "ln_1.weight", {width}, kOne, block);
  AddTensor(prefix + "ln_1.bias", {width}, kZero, block);
  linear("attn.c_attn.weight", {width, 3 * width}, weight);
  AddTensor(prefix + "attn.c_attn.bias", {3 * width}, kZero, block);
  linear("attn.c_proj.weight", {width, width}, residual);
  AddTensor(prefix + "attn.c_proj.bias", {width}, kZero, block);
  AddTensor(prefix + "ln_2.weight", {width}, kOne, block);
  AddTensor(prefix + "ln_2.bias", {width}, kZero, block);
  linear("mlp.c_fc.weight", {width, inner}, weight);
  AddTensor(prefix + "mlp.c_fc.bias", {inner}, kZero, block);
  linear("mlp.c_proj.weight", {inner, width}, residual);
  AddTensor(prefix + "mlp.c_proj.bias", {width}, kZero, block);
  return block;
}

ParameterBlock FinalNorm(const Gpt2Config& config) {
  ParameterBlock block;
  AddTensor(absl::StrCat(kModule, "ln_f.weight"), {config.n_embd}, kOne, block);
  AddTensor(absl::StrCat(kModule, "ln_f.bias"), {config.n_embd}, kZero, block);
  return block;
}

// Its form is on disks: see ModelTable::architecture_key.
std::string KeyOf(const Gpt2Config& config) {
  return absl::StrCat(
      "gpt2 vocab=", config.vocab_size, " positions=", config.n_positions,
      " width=", config.n_embd, " layers=", config.n_layer,
      " heads=", config.n_head, " inner=", config.n_inner,
      " tied=", config.tie_word_embeddings, " dropout=", config.embd_pdrop, ",",
      config.attn_pdrop, ",", config.resid_pdrop);
}

WeightNames OwnWeightNames() {
  WeightNames names;
  names.module_prefix = kModule;
  names.landmark = "h.0.ln_1.weight";
  names.unread_suffixes = {".attn.bias", ".attn.masked_bias"};
  names.unread_what = "attention masks";
  names.unread_why = "every layer is causal without them";
  names.transposed_why =
      "as torch.nn.Linear and nanoGPT keep them and transformers' Conv1D does "
      "not";
  names.transposed_remedy = "transpose the weights of c_attn, c_proj and c_fc";
  return names;
}

ConfigNames OwnConfigNames() {
  ConfigNames names;
  names.family = "GPT-2";
  names.model_class = "GPT2LMHeadModel";
  names.keys = {"activation_function",
                "attn_pdrop",
                "embd_pdrop",
                "initializer_range",
                "layer_norm_epsilon",
                "n_ctx",
                "n_embd",
                "n_head",
                "n_inner",
                "n_layer",
                "n_positions",
                "reorder_and_upcast_attn",
                "resid_pdrop",
                "scale_attn_by_inverse_layer_idx",
                "scale_attn_weights",
                "summary_activation",
                "summary_first_dropout",
                "summary_proj_to_labels",
                "summary_type",
                "summary_use_proj"};
  return names;
}

// As transformer_block.cc computes.
LayerMemory BlockMemory(const Gpt2Config& config) {
  AttentionMemory attention;
  attention.heads = config.n_head;
  attention.query_width = attention.key_width = config.n_embd;
  const BoundaryTensor hidden = PerToken(config.n_embd);
  const BoundaryTensor qkv = PerToken(3 * config.n_embd);
  const BoundaryTensor inner = PerToken(config.n_inner);
  LayerMemory memory;
  memory.kept = {qkv, hidden, hidden, inner};
  memory.forward = {attention.Forward(), {hidden, hidden, inner}};
  // All that was kept, and one more inside of the feed-forward layer; then the
  // attention, and the gradient of its half. A dropped branch has a copy.
  memory.backward = {{qkv, hidden, hidden, inner, inner}, attention.Backward()};
  memory.backward.back().push_back(hidden);
  if (config.resid_pdrop > 0) memory.backward.front().push_back(hidden);
  return memory;
}

LayerEntry Embedding(const Gpt2Config& config) {
  LayerEntry layer;
  layer.op = kGpt2EmbeddingOp;
  layer.kind = "embedding";
  layer.attributes = {{gpt2::kDropout, config.embd_pdrop}};
  return layer;
}

LayerEntry Block(const Gpt2Config& config) {
  LayerEntry layer;
  layer.op = kGpt2BlockOp;
  layer.kind = "block";
  layer.attributes = {{gpt2::kHeads, config.n_head},
                      {gpt2::kEpsilon, config.layer_norm_epsilon},
                      {gpt2::kAttentionDropout, config.attn_pdrop},
                      {gpt2::kDropout, config.resid_pdrop}};
  // Every token's product with every other one's, twice.
  layer.flops_per_token_pair = 4 * config.n_embd;
  layer.memory = BlockMemory(config);
  return layer;
}

LayerEntry Head(const Gpt2Config& config) {
  LayerEntry layer;
  layer.op = kGpt2HeadOp;
  layer.kind = "head";
  layer.streamed_block = 1;
  layer.memory = HeadMemory(config.n_embd, config.vocab_size);
  layer.attributes = {{gpt2::kEpsilon, config.layer_norm_epsilon}};
  return layer;
}

}  // namespace

ModelTable BuildGpt2Table(const Gpt2Config& config) {
  const TensorInit weight = Normal(config.initializer_range);
  ModelTable table;
  table.vocabulary_size = config.vocab_size;
  table.longest_context = config.n_positions;
  table.architecture_key = KeyOf(config);
  table.weight_names = OwnWeightNames();
  table.config_names = OwnConfigNames();
  table.lora_modules = {"c_attn"};

  const int tokens = AddBlock(TokenTable(config, weight), table);
  const int positions =
      AddBlock(OneTensor(absl::StrCat(kModule, "wpe.weight"),
                         {config.n_positions, config.n_embd}, weight),
               table);
  AddLayer(Embedding(config), {tokens, positions}, table);
  for (int64_t i = 0; i < config.n_layer; ++i) {
    AddLayer(Block(config), {AddBlock(TransformerBlock(config, i), table)},
             table);
  }
  const int norm = AddBlock(FinalNorm(config), table);
  const int head =
      config.tie_word_embeddings
          ? tokens
          : AddBlock(OneTensor("lm_head.weight",
                               {config.vocab_size, config.n_embd}, weight),
                     table);
  const BoundaryTensor hidden = {
      ElementType::kFloat32, {kBatchSequences, kBatchContext, config.n_embd}};
  for (LayerEntry& layer : table.layers) layer.outputs = {hidden};
  AddLayer(Head(config), {norm, head}, table);

  NoteUsers(table);
  return table;
}

absl::StatusOr<ModelTable> DescribeGpt2(absl::string_view config_json,
                                        const ModelOverrides& overrides) {
  absl::StatusOr<Gpt2Config> config = ParseGpt2Config(config_json);
  if (!config.ok()) return config.status();
  if (overrides.dropout.has_value()) {
    config->embd_pdrop = *overrides.dropout;
    config->attn_pdrop = *overrides.dropout;
    config->resid_pdrop = *overrides.dropout;
  }
  return BuildGpt2Table(*config);
}

}  // namespace hydra
