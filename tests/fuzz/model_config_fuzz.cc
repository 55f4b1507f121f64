// The input is a model's config.json.

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "common/model/gpt2_config.h"
#include "common/model/model_table.h"
#include "glog/logging.h"
#include "tests/fuzz/fuzz_check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto config = hydra::ParseGpt2Config(
      absl::string_view(reinterpret_cast<const char*>(data), size));
  hydra::CheckSpeaksPlainly(config.status());
  if (!config.ok()) return 0;
  const hydra::ModelTable table = hydra::BuildGpt2Table(*config);
  CHECK_EQ(table.layer_count(), config->n_layer + 2);
  CHECK_GT(table.ParameterCount(), 0);
  CHECK_GE(table.ParameterBytes() / hydra::kFloatBytes, table.ParameterCount());
  return 0;
}
