#include "common/model/describe.h"

#include "common/model/gpt2_table.h"

namespace hydra {

const ModelFamilies& KnownFamilies() {
  static const auto& families = *new ModelFamilies({{"gpt2", DescribeGpt2}});
  return families;
}

absl::StatusOr<ModelTable> Describe(absl::string_view config_json,
                                    const ModelOverrides& overrides) {
  return KnownFamilies().Describe(config_json, overrides);
}

}  // namespace hydra
