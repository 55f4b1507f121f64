#ifndef HYDRA_WORKER_MODEL_TEST_MODELS_H_
#define HYDRA_WORKER_MODEL_TEST_MODELS_H_

#include <cstdint>
#include <vector>

#include "ATen/core/Tensor.h"
#include "common/model/bert_table.h"
#include "common/model/gpt2_table.h"
#include "common/model/llama_table.h"
#include "common/model/model_table.h"
#include "common/model/resnet_table.h"
#include "common/model/vit_table.h"
#include "worker/model/layer.h"
#include "worker/model/micro_batch.h"

// Small models and inputs for tests.
namespace hydra {

// Dimensions that leave padding between a block's tensors.
Gpt2Config TinyConfig(double dropout = 0);
// Three heads of queries share one of keys; the second of two blocks has a
// window.
LlamaConfig TinyLlamaConfig(LlamaFamily family, double dropout = 0);

// Images and patches that are no squares.
VitConfig TinyVitConfig(double dropout = 0);

// Three token types; token 0 is padding.
BertConfig TinyBertConfig(BertHead head, double dropout = 0);

// Images whose sides are no multiples of the strides; stages of one and of two
// residual layers, of which the second one has a convolution in its shortcut.
ResnetConfig TinyResnetConfig(bool is_bottleneck = false);

// Every tensor random, norms and biases too, padding zero; what a batch norm
// remembers is above 0.
at::Tensor RandomFlat(const ParameterBlock& block, uint64_t seed);
std::vector<at::Tensor> RandomFlats(const ModelTable& table, uint64_t seed);

// Garbage where a gradient will go.
at::Tensor GarbageFlat(const ParameterBlock& block);

// fp32 numbers of standard deviation 1.
at::Tensor RandomTensor(at::IntArrayRef shape, uint64_t seed);

MicroBatch RandomMicroBatch(int64_t vocabulary_size, int64_t sequences,
                            int64_t context, uint64_t seed,
                            bool training = true);

// The same of examples.
MicroBatch RandomMicroBatch(const ExampleInput& examples, int64_t sequences,
                            uint64_t seed, bool training = true);

// The same of sequences that the table's model takes whole: each has a length
// of its own, and the last one is as long as can be.
MicroBatch RandomWholeBatch(const ModelTable& table, int64_t sequences,
                            int64_t context, uint64_t seed,
                            bool training = true);

// All that a layer of the table takes, random.
LayerInput RandomInput(const ModelTable& table, int layer, int64_t sequences,
                       int64_t context, uint64_t seed);

// The numbers between a block's tensors.
at::Tensor PaddingOf(const ParameterBlock& block, const at::Tensor& flat);

// Largest difference, relative to the largest magnitude in `expected`.
double RelativeDifference(const at::Tensor& actual, const at::Tensor& expected);

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_TEST_MODELS_H_
