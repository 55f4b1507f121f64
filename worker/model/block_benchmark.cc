// What a transformer block costs: Record and Backward of one micro-batch, on
// one thread. Beside it the same block differentiated by LibTorch's autograd.
// Arguments: sequences, context, width; heads are 64 wide. GPT-2's block, and
// Llama's with a third as many heads of keys as of queries; each also frozen,
// with adapters of rank 8 for PEFT's own modules or for every linear map.
//
// Counters: megabytes of tensors that a recorded layer keeps, and the most that
// exist at once beside parameters, their gradients, input and output gradient.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "ATen/core/Tensor.h"
#include "benchmark/benchmark.h"
#include "common/model/gpt2_table.h"
#include "common/model/llama_table.h"
#include "common/model/lora.h"
#include "worker/model/compute_threads.h"
#include "worker/model/counting_allocator.h"
#include "worker/model/llama_block.h"
#include "worker/model/product_order.h"
#include "worker/model/test_models.h"
#include "worker/model/testing/plain_block.h"
#include "worker/model/testing/plain_llama_block.h"
#include "worker/model/transformer_block.h"

namespace hydra {
namespace {

ModelTable Table(int64_t width, double dropout) {
  Gpt2Config config = TinyConfig(dropout);
  config.n_positions = 1024;
  config.n_embd = width;
  config.n_head = width / 64;
  config.n_inner = 4 * width;
  return BuildGpt2Table(config);
}

ModelTable LlamaTable(int64_t width) {
  LlamaConfig config = TinyLlamaConfig(LlamaFamily::kLlama);
  config.max_position_embeddings = 1024;
  config.hidden_size = width;
  config.head_dim = 64;
  config.num_attention_heads = width / 64 / 3 * 3;
  config.num_key_value_heads = width / 64 / 3;
  config.intermediate_size = 3 * width;
  return BuildLlamaTable(config);
}

ModelTable WithAdapters(ModelTable table,
                        const std::vector<std::string>& modules) {
  LoraConfig lora;
  lora.r = lora.lora_alpha = 8;
  lora.target_modules = modules;
  return WithLora(std::move(table), lora).value();
}

template <typename Block>
void Differentiate(benchmark::State& state, const ModelTable& table) {
  FixProductOrder();
  SetUpComputeThreads(1);
  LayerContext context{table.layers[1], {}, 1};
  Tensors flat_gradients;
  for (int used : table.layers[1].parameter_blocks) {
    context.blocks.push_back(table.parameter_blocks[used]);
    flat_gradients.push_back(context.blocks.back().frozen
                                 ? at::Tensor()
                                 : GarbageFlat(context.blocks.back()));
  }
  const Block block(context);
  const LayerInput input =
      RandomInput(table, 1, state.range(0), state.range(1), 1);
  const at::Tensor output_gradient = RandomTensor(input.boundary[0].sizes(), 2);
  const auto run = [&] {
    Tape tape = block.Record(input);
    block.Backward(std::move(tape), {output_gradient}, flat_gradients, true);
  };
  for (auto _ : state) run();
  const auto count_all = [&](bool backward) {
    CountingAllocator allocator;
    Tape tape = block.Record(input);
    if (!backward) return static_cast<double>(allocator.used_bytes());
    block.Backward(std::move(tape), {output_gradient}, flat_gradients, true);
    return static_cast<double>(allocator.peak_bytes());
  };
  state.counters["kept_MB"] = count_all(false) / 1e6;
  state.counters["peak_MB"] = count_all(true) / 1e6;
}

void BM_Own(benchmark::State& state) {
  Differentiate<TransformerBlock>(state, Table(state.range(2), 0));
}
void BM_Autograd(benchmark::State& state) {
  Differentiate<PlainBlock>(state, Table(state.range(2), 0));
}
void BM_OwnDropout(benchmark::State& state) {
  Differentiate<TransformerBlock>(state, Table(state.range(2), 0.1));
}
void BM_AutogradDropout(benchmark::State& state) {
  Differentiate<PlainBlock>(state, Table(state.range(2), 0.1));
}
void BM_LlamaOwn(benchmark::State& state) {
  Differentiate<LlamaBlock>(state, LlamaTable(state.range(2)));
}
void BM_LlamaAutograd(benchmark::State& state) {
  Differentiate<PlainLlamaBlock>(state, LlamaTable(state.range(2)));
}

void BM_OwnLora(benchmark::State& state) {
  Differentiate<TransformerBlock>(state,
                                  WithAdapters(Table(state.range(2), 0), {}));
}
void BM_LlamaOwnLora(benchmark::State& state) {
  Differentiate<LlamaBlock>(state,
                            WithAdapters(LlamaTable(state.range(2)), {}));
}
void BM_LlamaOwnLoraEverywhere(benchmark::State& state) {
  Differentiate<LlamaBlock>(
      state, WithAdapters(LlamaTable(state.range(2)), {kAllLinear}));
}

void Shapes(benchmark::internal::Benchmark* benchmark) {
  benchmark->Args({8, 128, 384})
      ->Args({2, 256, 768})
      ->Args({1, 256, 1024})
      ->Unit(benchmark::kMillisecond);
}

BENCHMARK(BM_Own)->Apply(Shapes);
BENCHMARK(BM_Autograd)->Apply(Shapes);
BENCHMARK(BM_OwnDropout)->Apply(Shapes);
BENCHMARK(BM_AutogradDropout)->Apply(Shapes);
BENCHMARK(BM_LlamaOwn)->Apply(Shapes);
BENCHMARK(BM_LlamaAutograd)->Apply(Shapes);
BENCHMARK(BM_OwnLora)->Apply(Shapes);
BENCHMARK(BM_LlamaOwnLora)->Apply(Shapes);
BENCHMARK(BM_LlamaOwnLoraEverywhere)->Apply(Shapes);

}  // namespace
}  // namespace hydra

BENCHMARK_MAIN();
