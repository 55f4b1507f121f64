// The input is a model's config.json, or an exported chain's chain.json.

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "common/model/describe.h"
#include "common/model/model_table.h"
#include "glog/logging.h"
#include "tests/fuzz/fuzz_check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto table = hydra::Describe(
      absl::string_view(reinterpret_cast<const char*>(data), size), {});
  hydra::CheckSpeaksPlainly(table.status());
  if (!table.ok()) return 0;
  // All families have more than an embedding and a head.
  CHECK_GT(table->layer_count(), table->RunsOwnCode() ? 0 : 2);
  CHECK_GT(table->examples.has_value() ? table->examples->class_count
                                       : table->vocabulary_size,
           0);
  CHECK_GT(table->ParameterCount(), 0);
  CHECK_GE(table->ParameterBytes() / hydra::kFloatBytes,
           table->ParameterCount());
  return 0;
}
