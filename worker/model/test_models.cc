#include "worker/model/test_models.h"

#include <cstddef>
#include <cstring>

#include "ATen/CPUGeneratorImpl.h"
#include "ATen/TensorOperators.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/empty.h"
#include "ATen/ops/full.h"
#include "ATen/ops/ones.h"
#include "ATen/ops/zeros.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "c10/util/Exception.h"
#include "common/data/batch_plan.h"
#include "common/model/quantized_rows.h"
#include "worker/model/block_views.h"
#include "worker/model/element_type.h"
#include "worker/model/product_order.h"

namespace hydra {
namespace {

// Before any test's first product: tests compute as workers do.
[[maybe_unused]] const bool kProductOrderIsFixed = (FixProductOrder(), true);

}  // namespace

Gpt2Config TinyConfig(double dropout) {
  Gpt2Config config;
  config.vocab_size = 97;
  config.n_positions = 40;
  config.n_embd = 24;
  config.n_layer = 2;
  config.n_head = 3;
  config.n_inner = 100;
  config.embd_pdrop = dropout;
  config.attn_pdrop = dropout;
  config.resid_pdrop = dropout;
  return config;
}

LlamaConfig TinyLlamaConfig(LlamaFamily family, double dropout) {
  LlamaConfig config;
  config.family = family;
  config.vocab_size = 97;
  config.max_position_embeddings = 40;
  config.hidden_size = 24;
  config.intermediate_size = 50;
  config.num_hidden_layers = 2;
  config.num_attention_heads = 6;
  config.num_key_value_heads = 2;
  config.head_dim = 10;
  config.attention_dropout = dropout;
  config.has_biases = family == LlamaFamily::kQwen2;
  config.has_head_norms = family == LlamaFamily::kQwen3;
  config.windows = {0, 7};
  return config;
}

VitConfig TinyVitConfig(double dropout) {
  VitConfig config;
  config.hidden_size = 24;
  config.num_hidden_layers = 2;
  config.num_attention_heads = 3;
  config.intermediate_size = 50;
  config.image_height = 8;
  config.image_width = 15;
  config.patch_height = 2;
  config.patch_width = 5;
  config.num_channels = 3;
  config.num_labels = 7;
  config.hidden_dropout_prob = dropout;
  config.attention_probs_dropout_prob = dropout;
  return config;
}

ResnetConfig TinyResnetConfig(bool is_bottleneck) {
  ResnetConfig config;
  config.image_height = 19;
  config.image_width = 26;
  config.num_channels = 3;
  config.embedding_size = 8;
  config.hidden_sizes = {8, 12};
  config.depths = {1, 2};
  config.is_bottleneck = is_bottleneck;
  config.num_labels = 7;
  return config;
}

BertConfig TinyBertConfig(BertHead head, double dropout) {
  BertConfig config;
  config.head = head;
  config.vocab_size = 97;
  config.hidden_size = 24;
  config.num_hidden_layers = 2;
  config.num_attention_heads = 3;
  config.intermediate_size = 50;
  config.max_position_embeddings = 40;
  config.type_vocab_size = 3;
  config.num_labels = 7;
  config.hidden_dropout_prob = dropout;
  config.attention_probs_dropout_prob = dropout;
  config.classifier_dropout = dropout;
  return config;
}

at::Tensor RandomTensor(at::IntArrayRef shape, uint64_t seed) {
  return at::empty(shape, at::kFloat)
      .normal_(0, 1, at::detail::createCPUGenerator(seed));
}

namespace {

// Of a block of kInt8.
at::Tensor RandomBytes(const ParameterBlock& block, uint64_t seed) {
  at::Tensor flat = at::zeros({block.size_bytes}, at::kChar);
  auto* const bytes =
      reinterpret_cast<std::byte*>(flat.mutable_data_ptr<int8_t>());
  for (const TensorEntry& tensor : block.tensors) {
    const at::Tensor numbers =
        RandomTensor({tensor.element_count}, ++seed).mul_(0.1);
    const auto* const from = numbers.const_data_ptr<float>();
    std::byte* const to = bytes + tensor.offset_bytes;
    if (StoredType(block.type, tensor) == ElementType::kFloat32) {
      std::memcpy(to, from, numbers.nbytes());
      continue;
    }
    const int64_t width = tensor.shape[1];
    for (int64_t row = 0; row < tensor.shape[0]; ++row) {
      const absl::Status quantized =
          QuantizeRow(absl::MakeConstSpan(from + row * width, width),
                      to + row * QuantizedRowBytes(width));
      TORCH_CHECK(quantized.ok(), quantized.ToString());
    }
  }
  return flat;
}

}  // namespace

at::Tensor RandomFlat(const ParameterBlock& block, uint64_t seed) {
  if (block.type == ElementType::kInt8) return RandomBytes(block, seed);
  at::Tensor flat = RandomTensor({block.element_count()}, seed).mul_(0.1);
  for (const TensorEntry& tensor : block.tensors) {
    const at::Tensor part =
        flat.narrow(0, block.FirstElement(tensor), tensor.element_count);
    if (tensor.use == TensorUse::kStatistic) part.abs_();
    if (tensor.use == TensorUse::kCount) part.fill_(3);
  }
  ZeroPadding(block, flat);
  return flat.to(TorchTypeOf(block.type));
}

std::vector<at::Tensor> RandomFlats(const ModelTable& table, uint64_t seed) {
  std::vector<at::Tensor> flats;
  for (const ParameterBlock& block : table.parameter_blocks) {
    flats.push_back(RandomFlat(block, seed++));
  }
  return flats;
}

at::Tensor GarbageFlat(const ParameterBlock& block) {
  return at::full({block.element_count()}, 12345.0f, at::kFloat);
}

MicroBatch RandomMicroBatch(int64_t vocabulary_size, int64_t sequences,
                            int64_t context, uint64_t seed, bool training) {
  MicroBatch batch;
  batch.tokens =
      at::empty({sequences, context + 1}, at::kLong)
          .random_(0, vocabulary_size, at::detail::createCPUGenerator(seed));
  batch.seed = seed;
  batch.gradient_scale = 1.0 / batch.target_count();
  batch.training = training;
  return batch;
}

MicroBatch RandomMicroBatch(const ExampleInput& examples, int64_t sequences,
                            uint64_t seed, bool training) {
  MicroBatch batch;
  batch.examples = RandomTensor({sequences, examples.element_count()}, seed);
  batch.targets = at::empty({sequences, 1}, at::kLong)
                      .random_(0, examples.class_count,
                               at::detail::createCPUGenerator(seed));
  batch.seed = seed;
  batch.gradient_scale = 1.0 / batch.target_count();
  batch.training = training;
  return batch;
}

MicroBatch RandomWholeBatch(const ModelTable& table, int64_t sequences,
                            int64_t context, uint64_t seed, bool training) {
  MicroBatch batch = RandomMicroBatch(table.vocabulary_size, sequences, context,
                                      seed, training);
  const auto random = [&](at::IntArrayRef shape, int64_t first, int64_t last) {
    return at::empty(shape, at::kLong)
        .random_(first, last, at::detail::createCPUGenerator(++seed));
  };
  batch.lengths = random({sequences}, 1, context + 1);
  batch.lengths[sequences - 1] = context;
  batch.token_types = random({sequences, context}, 0, table.token_types);
  if (table.objective == Objective::kClass) {
    batch.targets = random({sequences, 1}, 0, table.classes.count);
  } else {
    batch.targets = batch.Inputs().clone();
    batch.targets.masked_fill_(random({sequences, context}, 0, 4).gt(0),
                               kNoTarget);
    batch.untrained_targets = batch.targets.eq(kNoTarget).sum().item<int64_t>();
  }
  batch.gradient_scale = 1.0 / batch.target_count();
  return batch;
}

LayerInput RandomInput(const ModelTable& table, int layer, int64_t sequences,
                       int64_t context, uint64_t seed) {
  LayerInput input;
  input.micro_batch =
      table.examples.has_value()
          ? RandomMicroBatch(*table.examples, sequences, seed)
      : table.takes_whole_sequences()
          ? RandomWholeBatch(table, sequences, context, seed)
          : RandomMicroBatch(table.vocabulary_size, sequences, context, seed);
  for (const BoundaryTensor& tensor : table.BoundaryBefore(layer)) {
    const std::vector<int64_t> shape = tensor.ShapeOf(sequences, context);
    if (table.takes_whole_sequences() && tensor.type == ElementType::kInt64) {
      input.boundary.push_back(input.micro_batch.lengths);
      continue;
    }
    input.boundary.push_back(
        tensor.type == ElementType::kFloat32
            ? RandomTensor(shape, ++seed)
            : at::empty(shape, at::kLong)
                  .random_(0, table.vocabulary_size,
                           at::detail::createCPUGenerator(++seed)));
  }
  for (int block : table.layers[layer].parameter_blocks) {
    input.flats.push_back(RandomFlat(table.parameter_blocks[block], ++seed));
  }
  return input;
}

at::Tensor PaddingOf(const ParameterBlock& block, const at::Tensor& flat) {
  at::Tensor is_padding = at::ones({flat.numel()}, at::kBool);
  for (const TensorEntry& tensor : block.tensors) {
    is_padding.narrow(0, block.FirstElement(tensor), tensor.element_count)
        .zero_();
  }
  return flat.masked_select(is_padding);
}

double RelativeDifference(const at::Tensor& actual,
                          const at::Tensor& expected) {
  return (actual - expected).abs().max().item<double>() /
         expected.abs().max().item<double>();
}

}  // namespace hydra
