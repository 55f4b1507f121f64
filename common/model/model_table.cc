#include "common/model/model_table.h"

#include <cmath>

#include "absl/strings/str_cat.h"

namespace hydra {
namespace {

int64_t RoundUp(int64_t value, int64_t step) {
  return (value + step - 1) / step * step;
}

// Appends tensors to one block.
class BlockBuilder {
 public:
  BlockBuilder& Add(std::string name, std::vector<int64_t> shape,
                    TensorInit init) {
    int64_t count = 1;
    for (int64_t dimension : shape) count *= dimension;
    block_.tensors.push_back(
        {std::move(name), std::move(shape), count, block_.size_bytes, init});
    block_.size_bytes += RoundUp(count * kFloatBytes, kTensorAlignmentBytes);
    return *this;
  }

  ParameterBlock Build() { return std::move(block_); }

 private:
  ParameterBlock block_;
};

constexpr TensorInit kZero{TensorInit::Kind::kZero, 0};
constexpr TensorInit kOne{TensorInit::Kind::kOne, 0};

TensorInit Normal(double standard_deviation) {
  return {TensorInit::Kind::kNormal, standard_deviation};
}

// Hugging Face's Conv1D keeps weights as [in, out].
ParameterBlock TransformerBlock(const Gpt2Config& config, int64_t index) {
  const int64_t width = config.n_embd;
  const TensorInit weight = Normal(config.initializer_range);
  const TensorInit residual =
      Normal(config.initializer_range / std::sqrt(2.0 * config.n_layer));
  const std::string prefix = absl::StrCat("transformer.h.", index, ".");
  BlockBuilder builder;
  builder.Add(prefix + "ln_1.weight", {width}, kOne)
      .Add(prefix + "ln_1.bias", {width}, kZero)
      .Add(prefix + "attn.c_attn.weight", {width, 3 * width}, weight)
      .Add(prefix + "attn.c_attn.bias", {3 * width}, kZero)
      .Add(prefix + "attn.c_proj.weight", {width, width}, residual)
      .Add(prefix + "attn.c_proj.bias", {width}, kZero)
      .Add(prefix + "ln_2.weight", {width}, kOne)
      .Add(prefix + "ln_2.bias", {width}, kZero)
      .Add(prefix + "mlp.c_fc.weight", {width, config.n_inner}, weight)
      .Add(prefix + "mlp.c_fc.bias", {config.n_inner}, kZero)
      .Add(prefix + "mlp.c_proj.weight", {config.n_inner, width}, residual)
      .Add(prefix + "mlp.c_proj.bias", {width}, kZero);
  return builder.Build();
}

void NoteUsers(ModelTable& table) {
  for (int layer = 0; layer < table.layer_count(); ++layer) {
    for (int block : table.layers[layer].parameter_blocks) {
      table.parameter_blocks[block].layers.push_back(layer);
    }
  }
}

}  // namespace

const char* LayerKindName(LayerKind kind) {
  switch (kind) {
    case LayerKind::kEmbedding:
      return "embedding";
    case LayerKind::kBlock:
      return "block";
    case LayerKind::kHead:
      return "head";
  }
  return "unknown";
}

int64_t ModelTable::ParameterBytes() const {
  int64_t bytes = 0;
  for (const ParameterBlock& block : parameter_blocks) {
    bytes += block.size_bytes;
  }
  return bytes;
}

int64_t ModelTable::ParameterCount() const {
  int64_t count = 0;
  for (const ParameterBlock& block : parameter_blocks) {
    for (const TensorEntry& tensor : block.tensors) {
      count += tensor.element_count;
    }
  }
  return count;
}

int64_t ModelTable::BoundaryBytes(int64_t sequences, int64_t context) const {
  return RoundUp(sequences * context * config.n_embd * kFloatBytes,
                 kTensorAlignmentBytes);
}

ModelTable BuildGpt2Table(const Gpt2Config& config) {
  const TensorInit weight = Normal(config.initializer_range);
  const int64_t width = config.n_embd;
  ModelTable table;
  table.config = config;
  auto add_block = [&table](ParameterBlock block) {
    table.parameter_blocks.push_back(std::move(block));
    return static_cast<int>(table.parameter_blocks.size()) - 1;
  };

  const int tokens = add_block(
      BlockBuilder()
          .Add("transformer.wte.weight", {config.vocab_size, width}, weight)
          .Build());
  const int positions = add_block(
      BlockBuilder()
          .Add("transformer.wpe.weight", {config.n_positions, width}, weight)
          .Build());
  table.layers.push_back({LayerKind::kEmbedding, {tokens, positions}});

  for (int64_t i = 0; i < config.n_layer; ++i) {
    const int block = add_block(TransformerBlock(config, i));
    table.layers.push_back({LayerKind::kBlock, {block}});
  }

  const int norm = add_block(BlockBuilder()
                                 .Add("transformer.ln_f.weight", {width}, kOne)
                                 .Add("transformer.ln_f.bias", {width}, kZero)
                                 .Build());
  const int head = config.tie_word_embeddings
                       ? tokens
                       : add_block(BlockBuilder()
                                       .Add("lm_head.weight",
                                            {config.vocab_size, width}, weight)
                                       .Build());
  table.layers.push_back({LayerKind::kHead, {norm, head}});

  NoteUsers(table);
  return table;
}

}  // namespace hydra
