#include "worker/model/parameter_init.h"

#include <algorithm>
#include <string>

#include "ATen/CPUGeneratorImpl.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/from_blob.h"
#include "common/hash/fnv.h"

namespace hydra {
namespace {

// Of the seed's bytes, lowest first, and the name: the same on every machine.
uint64_t StreamSeed(uint64_t job_seed, const std::string& name) {
  std::string bytes;
  for (int shift = 0; shift < 64; shift += 8) {
    bytes.push_back(static_cast<char>(job_seed >> shift));
  }
  const uint64_t hash = Fnv1a(bytes + name);
  // LibTorch's generator looks at the lower half alone.
  return hash ^ (hash >> 32);
}

}  // namespace

void InitTensor(const TensorEntry& tensor, uint64_t job_seed, float* out) {
  switch (tensor.init.kind) {
    case TensorInit::Kind::kZero:
      std::fill_n(out, tensor.element_count, 0.0f);
      return;
    case TensorInit::Kind::kOne:
      std::fill_n(out, tensor.element_count, 1.0f);
      return;
    case TensorInit::Kind::kNormal:
      at::from_blob(out, {tensor.element_count}, at::kFloat)
          .normal_(0, tensor.init.standard_deviation,
                   at::detail::createCPUGenerator(
                       StreamSeed(job_seed, tensor.name)));
      return;
    case TensorInit::Kind::kUniform:
      at::from_blob(out, {tensor.element_count}, at::kFloat)
          .uniform_(-tensor.init.bound, tensor.init.bound,
                    at::detail::createCPUGenerator(
                        StreamSeed(job_seed, tensor.name)));
      return;
  }
}

}  // namespace hydra
