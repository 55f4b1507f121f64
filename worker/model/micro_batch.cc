#include "worker/model/micro_batch.h"

#include "ATen/core/Tensor.h"
#include "common/hash/split_mix.h"

namespace hydra {
namespace {

// Every input bit reaches every output bit.
uint64_t Mix(uint64_t value) { return SplitMix(value + kSplitMixStep); }

uint64_t Combine(uint64_t seed, uint64_t value) {
  return Mix(Mix(seed) ^ value);
}

}  // namespace

at::Tensor MicroBatch::Inputs() const { return tokens.narrow(1, 0, context()); }

at::Tensor MicroBatch::Targets() const {
  return targets.defined() ? targets : tokens.narrow(1, 1, context());
}

uint64_t DropoutSeed(uint64_t job_seed, int64_t step, int64_t micro_batch) {
  return Combine(Combine(job_seed, step), micro_batch);
}

uint64_t MaskSeed(uint64_t micro_batch_seed, int layer, int mask) {
  return Combine(Combine(micro_batch_seed, layer), mask);
}

}  // namespace hydra
