// What the head costs: Record and Backward of one micro-batch, on one thread,
// with its table held whole and streamed. Arguments: tokens, width. GPT-2's
// vocabulary.

#include <cstdint>

#include "ATen/core/Tensor.h"
#include "benchmark/benchmark.h"
#include "common/model/gpt2_table.h"
#include "worker/model/compute_threads.h"
#include "worker/model/known_layers.h"
#include "worker/model/product_order.h"
#include "worker/model/test_models.h"
#include "worker/model/testing/held_rows.h"

namespace hydra {
namespace {

void Measure(benchmark::State& state, bool streamed) {
  FixProductOrder();
  SetUpComputeThreads(1);
  constexpr int64_t kContext = 128;
  Gpt2Config config = TinyConfig();
  config.vocab_size = 50257;
  config.n_positions = kContext;
  config.n_embd = state.range(1);
  const ModelTable table = BuildGpt2Table(config);
  const int head = table.layer_count() - 1;
  const auto layer = KnownLayers().Make(table, head).value();
  LayerInput input =
      RandomInput(table, head, state.range(0) / kContext, kContext, 1);
  Tensors gradients;
  for (int block : table.layers[head].parameter_blocks) {
    gradients.push_back(GarbageFlat(table.parameter_blocks[block]));
  }
  const ParameterBlock& weight =
      table.parameter_blocks[table.layers[head].parameter_blocks[1]];
  HeldRows rows(weight, input.flats[1], gradients[1]);
  if (streamed) {
    input.rows = &rows;
    input.flats[1] = at::Tensor();
    gradients[1] = at::Tensor();
  }
  for (auto _ : state) {
    layer->Backward(layer->Record(input), {}, gradients, /*accumulate=*/true);
  }
  state.counters["tokens/s"] = benchmark::Counter(
      state.range(0), benchmark::Counter::kIsIterationInvariantRate);
}

void BM_Head(benchmark::State& state) { Measure(state, /*streamed=*/false); }
void BM_StreamedHead(benchmark::State& state) {
  Measure(state, /*streamed=*/true);
}

BENCHMARK(BM_Head)
    ->ArgsProduct({{1024}, {128, 384, 768}})
    ->Unit(benchmark::kMillisecond);
BENCHMARK(BM_StreamedHead)
    ->ArgsProduct({{1024}, {128, 384, 768}})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace hydra

BENCHMARK_MAIN();
