#include "worker/model/parameter_init.h"

#include <algorithm>
#include <string>

#include "ATen/ATen.h"
#include "ATen/CPUGeneratorImpl.h"

namespace hydra {
namespace {

// FNV-1a over the seed's bytes and the name: the same on every machine.
uint64_t StreamSeed(uint64_t job_seed, const std::string& name) {
  uint64_t hash = 0xcbf29ce484222325;
  auto add_byte = [&hash](uint8_t byte) {
    hash = (hash ^ byte) * 0x100000001b3;
  };
  for (int shift = 0; shift < 64; shift += 8) add_byte(job_seed >> shift);
  for (char c : name) add_byte(c);
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
  }
}

}  // namespace hydra
