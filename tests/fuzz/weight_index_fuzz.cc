// The input is a model.safetensors.index.json. Beside it are two weight files,
// and a link to a third one that lies elsewhere.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "absl/strings/string_view.h"
#include "common/file/scratch_directory.h"
#include "common/safetensors/header_text.h"
#include "common/safetensors/weight_directory.h"
#include "glog/logging.h"
#include "tests/fuzz/fuzz_check.h"

namespace hydra {
namespace {

using safetensors::Dtype;
using safetensors::Weight;
using safetensors::WeightDirectory;

// A file of one tensor.
std::string WeightFile(const std::string& tensor) {
  const auto header =
      safetensors::MakeHeaderText({{tensor, Dtype::kF32, {2}}}, {});
  CHECK(header.ok()) << header.status();
  return header->bytes + std::string(2 * sizeof(float), '\0');
}

class Model {
 public:
  Model() {
    WriteFile(inside_.PathOf("a.safetensors"), WeightFile("a"));
    WriteFile(inside_.PathOf("b.safetensors"), WeightFile("b"));
    WriteFile(outside_.PathOf("c.safetensors"), WeightFile("c"));
    std::filesystem::create_symlink(outside_.PathOf("c.safetensors"),
                                    inside_.PathOf("c.safetensors"));
  }

  void Try(absl::string_view index) {
    WriteFile(inside_.PathOf("model.safetensors.index.json"), index);
    const auto weights = WeightDirectory::Open(inside_.path());
    CheckSpeaksPlainly(weights.status());
    if (!weights.ok()) return;
    for (const Weight& weight : weights->weights()) {
      CHECK(weight.tensor->name == "a" || weight.tensor->name == "b");
      float numbers[2];
      CHECK(weights->ReadAsFloat32(weight.tensor->name, 0, numbers).ok());
    }
  }

 private:
  ScratchDirectory inside_;
  ScratchDirectory outside_;
};

}  // namespace
}  // namespace hydra

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static hydra::Model model;
  model.Try({reinterpret_cast<const char*>(data), size});
  return 0;
}
