#include "common/model/describe.h"

#include "common/model/bert_table.h"
#include "common/model/chain_table.h"
#include "common/model/gpt2_table.h"
#include "common/model/llama_table.h"
#include "common/model/resnet_table.h"
#include "common/model/vit_table.h"

namespace hydra {

const ModelFamilies& KnownFamilies() {
  static const auto& families = *new ModelFamilies(
      {
          {"bert", DescribeBert},
          {"gpt2", DescribeGpt2},
          {kChainModelType, DescribeChain},
          {"llama", DescribeLlama},
          {"mistral", DescribeMistral},
          {"qwen2", DescribeQwen2},
          {"qwen3", DescribeQwen3},
          {"resnet", DescribeResnet},
          {"vit", DescribeVit},
      },
      "any other classifier that is a chain of PyTorch layers can be exported "
      "with python -m hydrad.export (docs/job-file.md, \"Chains of your "
      "own\")");
  return families;
}

absl::StatusOr<ModelTable> Describe(absl::string_view config_json,
                                    const ModelOverrides& overrides) {
  return KnownFamilies().Describe(config_json, overrides);
}

}  // namespace hydra
