// What the head costs: Record and Backward of one micro-batch, on one thread.
// Arguments: tokens, width. GPT-2's vocabulary.

#include <cstdint>

#include "ATen/core/Tensor.h"
#include "benchmark/benchmark.h"
#include "common/model/gpt2_table.h"
#include "worker/model/compute_threads.h"
#include "worker/model/known_layers.h"
#include "worker/model/test_models.h"

namespace hydra {
namespace {

void BM_Head(benchmark::State& state) {
  SetUpComputeThreads(1);
  constexpr int64_t kContext = 128;
  Gpt2Config config = TinyConfig();
  config.vocab_size = 50257;
  config.n_positions = kContext;
  config.n_embd = state.range(1);
  const ModelTable table = BuildGpt2Table(config);
  const int head = table.layer_count() - 1;
  const auto layer = KnownLayers().Make(table, head).value();
  const LayerInput input =
      RandomInput(table, head, state.range(0) / kContext, kContext, 1);
  Tensors gradients;
  for (int block : table.layers[head].parameter_blocks) {
    gradients.push_back(GarbageFlat(table.parameter_blocks[block]));
  }
  for (auto _ : state) {
    layer->Backward(layer->Record(input), {}, gradients, /*accumulate=*/true);
  }
  state.counters["tokens/s"] = benchmark::Counter(
      state.range(0), benchmark::Counter::kIsIterationInvariantRate);
}

BENCHMARK(BM_Head)
    ->ArgsProduct({{1024}, {128, 384, 768}})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace hydra

BENCHMARK_MAIN();
