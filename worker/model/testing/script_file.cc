#include "worker/model/testing/script_file.h"

#include <sstream>

#include "ATen/core/Tensor.h"
#include "ATen/ops/zeros.h"
#include "torch/csrc/jit/api/module.h"

namespace hydra {
namespace {

// With memory for one number.
at::Tensor Shaped(const std::vector<int64_t>& shape) {
  return at::zeros(at::IntArrayRef()).expand(shape);
}

}  // namespace

std::string ScriptFile(const ScriptModule& module) {
  torch::jit::Module script("__torch__.Layer");
  for (const auto& [name, shape] : module.parameters) {
    script.register_parameter(name, Shaped(shape),
                              /*is_buffer=*/false);
  }
  for (const auto& [name, shape] : module.buffers) {
    script.register_buffer(name, Shaped(shape));
  }
  for (const auto& [name, number] : module.numbers) {
    script.register_attribute(name, c10::IntType::get(), number);
  }
  for (const auto& [name, numbers] : module.lists) {
    script.register_attribute(name, c10::ListType::ofInts(), numbers);
  }
  script.define(module.code);
  std::ostringstream file;
  script.save(file);
  return file.str();
}

}  // namespace hydra
