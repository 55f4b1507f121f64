#include "common/model/bert_table.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/model/layer_memory.h"
#include "common/model/table_parts.h"

namespace hydra {
namespace {

constexpr char kModule[] = "bert.";
constexpr char kPredictions[] = "cls.predictions.";

TensorInit WeightInit(const BertConfig& config) {
  return Normal(config.initializer_range);
}

void AddNorm(const std::string& name, int64_t width, ParameterBlock& block) {
  AddTensor(absl::StrCat(name, ".weight"), {width}, kOne, block);
  AddTensor(absl::StrCat(name, ".bias"), {width}, kZero, block);
}

// Looked up by token. A tied head's checkpoint may have it as the head's.
ParameterBlock TokenTable(const BertConfig& config) {
  ParameterBlock block =
      OneTensor(absl::StrCat(kModule, "embeddings.word_embeddings.weight"),
                {config.vocab_size, config.hidden_size}, WeightInit(config));
  block.rows_are_gathered = true;
  if (config.head == BertHead::kMaskedTokens && config.tie_word_embeddings) {
    block.tensors.front().alias = absl::StrCat(kPredictions, "decoder.weight");
  }
  return block;
}

ParameterBlock OtherEmbeddings(const BertConfig& config) {
  const int64_t width = config.hidden_size;
  const std::string prefix = absl::StrCat(kModule, "embeddings.");
  ParameterBlock block;
  AddTensor(prefix + "position_embeddings.weight",
            {config.max_position_embeddings, width}, WeightInit(config), block);
  AddTensor(prefix + "token_type_embeddings.weight",
            {config.type_vocab_size, width}, WeightInit(config), block);
  AddNorm(prefix + "LayerNorm", width, block);
  return block;
}

ParameterBlock EncoderBlock(const BertConfig& config, int64_t index) {
  const int64_t width = config.hidden_size;
  const std::string prefix =
      absl::StrCat(kModule, "encoder.layer.", index, ".");
  ParameterBlock block;
  const auto linear = [&](const char* name, int64_t out, int64_t in) {
    AddLinear(absl::StrCat(prefix, name, ".weight"), {out, in},
              LinearLayout::kOutIn, WeightInit(config), block);
    AddTensor(absl::StrCat(prefix, name, ".bias"), {out}, kZero, block);
  };
  linear("attention.self.query", width, width);
  linear("attention.self.key", width, width);
  linear("attention.self.value", width, width);
  linear("attention.output.dense", width, width);
  AddNorm(prefix + "attention.output.LayerNorm", width, block);
  linear("intermediate.dense", config.intermediate_size, width);
  linear("output.dense", width, config.intermediate_size);
  AddNorm(prefix + "output.LayerNorm", width, block);
  return block;
}

// In the order of bert_head::Tensor. transformers ties the table's bias to one
// of the head, or leaves that one aside, as it ties the table.
ParameterBlock MaskedHead(const BertConfig& config) {
  const int64_t width = config.hidden_size;
  const std::string prefix = kPredictions;
  ParameterBlock block;
  AddTensor(prefix + "transform.dense.weight", {width, width},
            WeightInit(config), block);
  AddTensor(prefix + "transform.dense.bias", {width}, kZero, block);
  AddNorm(prefix + "transform.LayerNorm", width, block);
  const char* const bias = config.tie_word_embeddings ? "bias" : "decoder.bias";
  AddTensor(prefix + bias, {config.vocab_size}, kZero, block);
  if (config.tie_word_embeddings) {
    block.tensors.back().alias = prefix + "decoder.bias";
  }
  return block;
}

ParameterBlock ClassHead(const BertConfig& config) {
  const int64_t width = config.hidden_size;
  ParameterBlock block;
  AddTensor(absl::StrCat(kModule, "pooler.dense.weight"), {width, width},
            WeightInit(config), block);
  AddTensor(absl::StrCat(kModule, "pooler.dense.bias"), {width}, kZero, block);
  AddTensor("classifier.weight", {config.num_labels, width}, WeightInit(config),
            block);
  AddTensor("classifier.bias", {config.num_labels}, kZero, block);
  for (TensorEntry& tensor : block.tensors) tensor.may_be_drawn = true;
  return block;
}

bool Classifies(const BertConfig& config) {
  return config.head == BertHead::kClass;
}

// Its form is on disks: see ModelTable::architecture_key.
std::string KeyOf(const BertConfig& config) {
  return absl::StrCat(
      "bert vocab=", config.vocab_size,
      " positions=", config.max_position_embeddings,
      " types=", config.type_vocab_size, " width=", config.hidden_size,
      " layers=", config.num_hidden_layers,
      " heads=", config.num_attention_heads,
      " inner=", config.intermediate_size,
      Classifies(config)
          ? absl::StrCat(" classes=", config.num_labels)
          : absl::StrCat(" tied=", config.tie_word_embeddings ? 1 : 0),
      " dropout=", config.hidden_dropout_prob, ",",
      config.attention_probs_dropout_prob,
      Classifies(config) ? absl::StrCat(",", config.classifier_dropout) : "");
}

WeightNames OwnWeightNames(const BertConfig& config) {
  WeightNames names;
  names.module_prefix = kModule;
  names.landmark = "embeddings.word_embeddings.weight";
  names.renamed_suffixes = {{".gamma", ".weight"}, {".beta", ".bias"}};
  names.unread_suffixes = {
      "embeddings.position_ids", "embeddings.token_type_ids",
      "cls.seq_relationship.weight", "cls.seq_relationship.bias"};
  if (Classifies(config)) {
    for (const char* name :
         {"bias", "decoder.weight", "decoder.bias", "transform.dense.weight",
          "transform.dense.bias", "transform.LayerNorm.weight",
          "transform.LayerNorm.bias", "transform.LayerNorm.gamma",
          "transform.LayerNorm.beta"}) {
      names.unread_suffixes.push_back(absl::StrCat(kPredictions, name));
    }
  } else {
    if (!config.tie_word_embeddings) {
      names.unread_suffixes.push_back(absl::StrCat(kPredictions, "bias"));
    }
    for (const char* name : {"pooler.dense.weight", "pooler.dense.bias",
                             "classifier.weight", "classifier.bias"}) {
      names.unread_suffixes.push_back(name);
    }
  }
  names.unread_what = "buffers and weights of other heads";
  names.unread_why = "the head that architectures names computes without them";
  return names;
}

ConfigNames OwnConfigNames(const BertConfig& config) {
  ConfigNames names;
  names.family = "BERT";
  names.model_class =
      Classifies(config) ? "BertForSequenceClassification" : "BertForMaskedLM";
  names.classifies = Classifies(config);
  names.keys = {"attention_probs_dropout_prob",
                "classifier_dropout",
                "directionality",
                "hidden_act",
                "hidden_dropout_prob",
                "initializer_range",
                "intermediate_size",
                "layer_norm_eps",
                "pooler_fc_size",
                "pooler_num_attention_heads",
                "pooler_num_fc_layers",
                "pooler_size_per_head",
                "pooler_type",
                "position_embedding_type",
                "type_vocab_size"};
  return names;
}

BoundaryTensor PerSequence(int64_t width) {
  return {ElementType::kFloat32, {kBatchSequences, width}};
}

// As bert_embedding.cc computes: the sum before its norm is kept.
LayerMemory EmbeddingMemory(const BertConfig& config) {
  const BoundaryTensor hidden = PerToken(config.hidden_size);
  LayerMemory memory;
  memory.kept = {hidden};
  memory.forward = {{hidden}};
  memory.backward = {{hidden, hidden}};
  // The gradient with what was dropped, beside the one that came.
  if (config.hidden_dropout_prob > 0) {
    memory.backward.front().push_back(hidden);
  }
  return memory;
}

// As bert_block.cc computes.
LayerMemory BlockMemory(const BertConfig& config) {
  AttentionMemory attention;
  attention.heads = config.num_attention_heads;
  attention.query_width = attention.key_width = config.hidden_size;
  const BoundaryTensor hidden = PerToken(config.hidden_size);
  const BoundaryTensor inner = PerToken(config.intermediate_size);
  LayerMemory memory;
  memory.kept = {hidden, hidden, hidden, hidden, hidden, inner, hidden};
  memory.forward = {attention.Forward(), {hidden, hidden, inner}};
  // All that was kept, the second sum's gradient in place of that sum, and one
  // more inside of the feed-forward layer; then the attention, and the first
  // sum's gradient. A dropped branch has a copy.
  memory.backward = {
      {hidden, hidden, hidden, hidden, hidden, inner, hidden, inner},
      attention.Backward()};
  memory.backward.back().push_back(hidden);
  if (config.hidden_dropout_prob > 0) {
    memory.backward.front().push_back(hidden);
  }
  return memory;
}

// Of masked tokens: what the transform keeps stays beside the logits; and its
// own worst moments.
LayerMemory MaskedHeadMemory(const BertConfig& config) {
  LayerMemory memory = HeadMemory(config.hidden_size, config.vocab_size);
  for (auto* moments : {&memory.forward, &memory.backward}) {
    moments->front().push_back(PerToken(config.hidden_size));
    moments->emplace_back(moments == &memory.forward ? 3 : 4,
                          PerToken(config.hidden_size));
  }
  return memory;
}

LayerEntry Embedding(const BertConfig& config) {
  LayerEntry layer;
  layer.op = kBertEmbeddingOp;
  layer.kind = "embedding";
  layer.attributes = {
      {bert::kEpsilon, config.layer_norm_eps},
      {bert::kDropout, config.hidden_dropout_prob},
      {bert::kPaddingToken, static_cast<double>(config.padding_token)}};
  layer.memory = EmbeddingMemory(config);
  return layer;
}

LayerEntry Block(const BertConfig& config) {
  LayerEntry layer;
  layer.op = kBertBlockOp;
  layer.kind = "block";
  layer.attributes = {
      {bert::kHeads, config.num_attention_heads},
      {bert::kEpsilon, config.layer_norm_eps},
      {bert::kDropout, config.hidden_dropout_prob},
      {bert::kAttentionDropout, config.attention_probs_dropout_prob}};
  // Every token's product with every other one's, twice.
  layer.flops_per_token_pair = 4 * config.hidden_size;
  layer.memory = BlockMemory(config);
  return layer;
}

LayerEntry Head(const BertConfig& config) {
  LayerEntry layer;
  layer.kind = "head";
  if (!Classifies(config)) {
    layer.op = kBertMaskedHeadOp;
    layer.streamed_block = 1;
    layer.memory = MaskedHeadMemory(config);
    layer.attributes = {{bert::kEpsilon, config.layer_norm_eps}};
    return layer;
  }
  layer.op = kBertClassHeadOp;
  layer.attributes = {{bert::kDropout, config.classifier_dropout}};
  const BoundaryTensor token = PerSequence(config.hidden_size);
  const BoundaryTensor logits = PerSequence(config.num_labels);
  // As bert_classifier.cc computes: first tokens, what the pooler makes of
  // them, and the gradients of both, beside that of all tokens.
  layer.memory.forward = {{token, token, token, logits}};
  layer.memory.backward = {
      {PerToken(config.hidden_size), token, token, token, token, logits}};
  // What is left of the pooler's is beside all of it.
  if (config.classifier_dropout > 0) {
    layer.memory.backward.front().push_back(token);
  }
  return layer;
}

}  // namespace

ModelTable BuildBertTable(const BertConfig& config) {
  ModelTable table;
  table.vocabulary_size = config.vocab_size;
  table.longest_context = config.max_position_embeddings;
  table.token_types = config.type_vocab_size;
  table.objective =
      Classifies(config) ? Objective::kClass : Objective::kMaskedTokens;
  if (Classifies(config)) {
    table.classes = {config.num_labels, config.labels};
  }
  table.architecture_key = KeyOf(config);
  table.weight_names = OwnWeightNames(config);
  table.config_names = OwnConfigNames(config);
  table.lora_modules = {"query", "value"};

  const int tokens = AddBlock(TokenTable(config), table);
  const int others = AddBlock(OtherEmbeddings(config), table);
  AddLayer(Embedding(config), {tokens, others}, table);
  for (int64_t i = 0; i < config.num_hidden_layers; ++i) {
    AddLayer(Block(config), {AddBlock(EncoderBlock(config, i), table)}, table);
  }
  for (LayerEntry& layer : table.layers) {
    layer.outputs = {PerToken(config.hidden_size),
                     {ElementType::kInt64, {kBatchSequences}}};
  }
  if (Classifies(config)) {
    AddLayer(Head(config), {AddBlock(ClassHead(config), table)}, table);
  } else {
    const int head = AddBlock(MaskedHead(config), table);
    int decoder = tokens;
    if (!config.tie_word_embeddings) {
      decoder = AddBlock(OneTensor(absl::StrCat(kPredictions, "decoder.weight"),
                                   {config.vocab_size, config.hidden_size},
                                   WeightInit(config)),
                         table);
    }
    AddLayer(Head(config), {head, decoder}, table);
  }
  NoteUsers(table);
  return table;
}

absl::StatusOr<ModelTable> DescribeBert(absl::string_view config_json,
                                        const ModelOverrides& overrides) {
  absl::StatusOr<BertConfig> config = ParseBertConfig(config_json);
  if (!config.ok()) return config.status();
  if (overrides.dropout.has_value()) {
    config->hidden_dropout_prob = *overrides.dropout;
    config->attention_probs_dropout_prob = *overrides.dropout;
    config->classifier_dropout = *overrides.dropout;
  }
  return BuildBertTable(*config);
}

}  // namespace hydra
