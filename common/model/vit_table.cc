#include "common/model/vit_table.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/model/table_parts.h"

namespace hydra {
namespace {

constexpr char kModule[] = "vit.";

TensorInit WeightInit(const VitConfig& config) {
  return Normal(config.initializer_range);
}

ParameterBlock Embeddings(const VitConfig& config) {
  const int64_t width = config.hidden_size;
  const TensorInit weight = WeightInit(config);
  const std::string prefix = absl::StrCat(kModule, "embeddings.");
  const std::string patches =
      absl::StrCat(prefix, "patch_embeddings.projection.");
  ParameterBlock block;
  AddTensor(prefix + "cls_token", {1, 1, width}, weight, block);
  AddTensor(prefix + "position_embeddings", {1, 1 + config.patches(), width},
            weight, block);
  AddTensor(
      patches + "weight",
      {width, config.num_channels, config.patch_height, config.patch_width},
      weight, block);
  AddTensor(patches + "bias", {width}, kZero, block);
  return block;
}

ParameterBlock EncoderBlock(const VitConfig& config, int64_t index) {
  const int64_t width = config.hidden_size;
  const std::string prefix =
      absl::StrCat(kModule, "encoder.layer.", index, ".");
  ParameterBlock block;
  const auto norm = [&](const char* name) {
    AddTensor(absl::StrCat(prefix, name, ".weight"), {width}, kOne, block);
    AddTensor(absl::StrCat(prefix, name, ".bias"), {width}, kZero, block);
  };
  // `module`: behind "vit.layers.0.", where transformers' model has it.
  const auto linear = [&](const char* name, const char* module, int64_t out,
                          int64_t in, bool has_bias) {
    AddLinear(absl::StrCat(prefix, name, ".weight"), {out, in},
              LinearLayout::kOutIn, WeightInit(config), block);
    block.tensors.back().module =
        absl::StrCat(kModule, "layers.", index, ".", module);
    if (!has_bias) return;
    AddTensor(absl::StrCat(prefix, name, ".bias"), {out}, kZero, block);
  };
  norm("layernorm_before");
  linear("attention.attention.query", "attention.q_proj", width, width,
         config.qkv_bias);
  linear("attention.attention.key", "attention.k_proj", width, width,
         config.qkv_bias);
  linear("attention.attention.value", "attention.v_proj", width, width,
         config.qkv_bias);
  linear("attention.output.dense", "attention.o_proj", width, width, true);
  norm("layernorm_after");
  linear("intermediate.dense", "mlp.fc1", config.intermediate_size, width,
         true);
  linear("output.dense", "mlp.fc2", width, config.intermediate_size, true);
  return block;
}

ParameterBlock Classifier(const VitConfig& config) {
  ParameterBlock block;
  AddTensor(absl::StrCat(kModule, "layernorm.weight"), {config.hidden_size},
            kOne, block);
  AddTensor(absl::StrCat(kModule, "layernorm.bias"), {config.hidden_size},
            kZero, block);
  AddTensor("classifier.weight", {config.num_labels, config.hidden_size},
            WeightInit(config), block);
  AddTensor("classifier.bias", {config.num_labels}, kZero, block);
  return block;
}

// Its form is on disks: see ModelTable::architecture_key.
std::string KeyOf(const VitConfig& config) {
  return absl::StrCat(
      "vit image=", config.num_channels, "x", config.image_height, "x",
      config.image_width, " patch=", config.patch_height, "x",
      config.patch_width, " width=", config.hidden_size,
      " layers=", config.num_hidden_layers,
      " heads=", config.num_attention_heads,
      " inner=", config.intermediate_size, " biases=", config.qkv_bias ? 1 : 0,
      " classes=", config.num_labels, " dropout=", config.hidden_dropout_prob,
      ",", config.attention_probs_dropout_prob);
}

WeightNames OwnWeightNames() {
  WeightNames names;
  names.module_prefix = kModule;
  names.landmark = "encoder.layer.0.layernorm_before.weight";
  names.unread_suffixes = {"pooler.dense.weight", "pooler.dense.bias"};
  names.unread_what = "a pooler's weights";
  names.unread_why = "the classifier takes the class token as it is";
  return names;
}

ConfigNames OwnConfigNames() {
  ConfigNames names;
  names.family = "ViT";
  names.model_class = "ViTForImageClassification";
  names.classifies = true;
  names.keys = {"attention_probs_dropout_prob",
                "encoder_stride",
                "hidden_act",
                "hidden_dropout_prob",
                "image_size",
                "initializer_range",
                "intermediate_size",
                "layer_norm_eps",
                "num_channels",
                "patch_size",
                "pooler_act",
                "pooler_output_size",
                "qkv_bias"};
  return names;
}

// A tensor with so many numbers for each row of each image.
BoundaryTensor PerRow(const VitConfig& config, int64_t width) {
  return {ElementType::kFloat32,
          {kBatchSequences, 1 + config.patches(), width}};
}

BoundaryTensor PerImage(int64_t width) {
  return {ElementType::kFloat32, {kBatchSequences, width}};
}

// The batch's images, and their patches beside each other.
LayerMemory EmbeddingMemory(const VitConfig& config) {
  const BoundaryTensor images =
      PerImage(config.num_channels * config.image_height * config.image_width);
  LayerMemory memory;
  memory.kept = {images};
  memory.forward = {{images, images, PerRow(config, config.hidden_size)}};
  memory.backward = {{images, images, PerRow(config, config.hidden_size)}};
  // The gradient with what was dropped, beside the one that came.
  if (config.hidden_dropout_prob > 0) {
    memory.backward.front().push_back(PerRow(config, config.hidden_size));
  }
  return memory;
}

// As vit_block.cc computes.
LayerMemory BlockMemory(const VitConfig& config) {
  const int64_t rows = 1 + config.patches();
  const BoundaryTensor hidden = PerRow(config, config.hidden_size);
  const BoundaryTensor inner = PerRow(config, config.intermediate_size);
  // The scores of one image's rows, all heads'.
  const BoundaryTensor scores = {ElementType::kFloat32,
                                 {config.num_attention_heads, rows, rows}};
  LayerMemory memory;
  memory.kept = {hidden, hidden, hidden, hidden, hidden, inner};
  memory.forward = {{hidden, hidden, hidden, hidden, scores},
                    {hidden, hidden, inner}};
  // All that was kept, and one more inside of the feed-forward layer; then the
  // attention, and the gradient of its half. A dropped branch has a copy.
  memory.backward = {{hidden, hidden, hidden, hidden, hidden, inner, inner},
                     {hidden,
                      hidden,
                      hidden,
                      hidden,
                      hidden,
                      hidden,
                      scores,
                      scores,
                      {ElementType::kFloat32, {rows, 3 * config.hidden_size}}}};
  if (config.hidden_dropout_prob > 0) {
    memory.backward.front().push_back(hidden);
  }
  return memory;
}

// To whatever counts tokens an image is one: all that its rows take beyond that
// is what its one pair takes.
int64_t FlopsOfRows(const VitConfig& config, const ParameterBlock& block) {
  return 2 * block.element_count() * config.patches();
}

// The projection's weight is used for each patch, and what else there is for
// the image once.
int64_t FlopsOfPatches(const VitConfig& config) {
  return 2 * config.hidden_size * config.patch_numbers() *
         (config.patches() - 1);
}

LayerEntry Embedding(const VitConfig& config) {
  LayerEntry layer;
  layer.op = kVitEmbeddingOp;
  layer.kind = "embedding";
  layer.attributes = {{vit::kChannels, config.num_channels},
                      {vit::kImageHeight, config.image_height},
                      {vit::kImageWidth, config.image_width},
                      {vit::kPatchHeight, config.patch_height},
                      {vit::kPatchWidth, config.patch_width},
                      {vit::kDropout, config.hidden_dropout_prob}};
  layer.memory = EmbeddingMemory(config);
  layer.flops_per_token_pair = FlopsOfPatches(config);
  return layer;
}

LayerEntry Block(const VitConfig& config, const ParameterBlock& block) {
  LayerEntry layer;
  layer.op = kVitBlockOp;
  layer.kind = "block";
  layer.attributes = {
      {vit::kRows, 1 + config.patches()},
      {vit::kHeads, config.num_attention_heads},
      {vit::kHasBiases, config.qkv_bias},
      {vit::kEpsilon, config.layer_norm_eps},
      {vit::kDropout, config.hidden_dropout_prob},
      {vit::kAttentionDropout, config.attention_probs_dropout_prob}};
  const int64_t rows = 1 + config.patches();
  // Every row's product with every other one's, twice.
  layer.flops_per_token_pair =
      FlopsOfRows(config, block) + 4 * config.hidden_size * rows * rows;
  layer.memory = BlockMemory(config);
  return layer;
}

LayerEntry Head(const VitConfig& config) {
  LayerEntry layer;
  layer.op = kVitHeadOp;
  layer.kind = "head";
  layer.attributes = {{vit::kEpsilon, config.layer_norm_eps}};
  const BoundaryTensor token = PerImage(config.hidden_size);
  const BoundaryTensor logits = PerImage(config.num_labels);
  layer.memory.forward = {{token, token, logits}};
  layer.memory.backward = {
      {PerRow(config, config.hidden_size), token, token, logits}};
  return layer;
}

}  // namespace

ModelTable BuildVitTable(const VitConfig& config) {
  ModelTable table;
  ExampleInput& examples = table.examples.emplace();
  examples.name = "pixel_values";
  examples.shape = {config.num_channels, config.image_height,
                    config.image_width};
  examples.class_count = config.num_labels;
  table.longest_context = 1;
  table.architecture_key = KeyOf(config);
  table.weight_names = OwnWeightNames();
  table.config_names = OwnConfigNames();
  table.lora_modules = {"q_proj", "v_proj"};

  // Layer i has block i.
  const auto add = [&table](LayerEntry layer, ParameterBlock block) {
    AddLayer(std::move(layer), {AddBlock(std::move(block), table)}, table);
  };
  add(Embedding(config), Embeddings(config));
  for (int64_t i = 0; i < config.num_hidden_layers; ++i) {
    ParameterBlock block = EncoderBlock(config, i);
    LayerEntry layer = Block(config, block);
    add(std::move(layer), std::move(block));
  }
  for (LayerEntry& layer : table.layers) {
    layer.outputs = {PerRow(config, config.hidden_size)};
  }
  add(Head(config), Classifier(config));
  NoteUsers(table);
  return table;
}

absl::StatusOr<ModelTable> DescribeVit(absl::string_view config_json,
                                       const ModelOverrides& overrides) {
  absl::StatusOr<VitConfig> config = ParseVitConfig(config_json);
  if (!config.ok()) return config.status();
  if (overrides.dropout.has_value()) {
    config->hidden_dropout_prob = *overrides.dropout;
    config->attention_probs_dropout_prob = *overrides.dropout;
  }
  return BuildVitTable(*config);
}

}  // namespace hydra
