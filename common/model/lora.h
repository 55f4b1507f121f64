#ifndef HYDRA_COMMON_MODEL_LORA_H_
#define HYDRA_COMMON_MODEL_LORA_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/model/lora_config.h"
#include "common/model/model_table.h"

namespace hydra {

// The attributes of a layer that has adapters.
namespace lora {
inline constexpr char kScale[] = "lora_scale";
inline constexpr char kDropout[] = "lora_dropout";
}  // namespace lora

// The described model with adapters: its own blocks are frozen, and each layer
// with an adapted linear map has one block more, behind its own. All of these
// blocks stand behind the model's, whose numbers stay as they are. A block has
// two tensors for each adapted map, in the order of the maps, named as PEFT
// saves them: lora_A [r, in], drawn as PEFT draws it, and lora_B [out, r],
// zero. Of a map x W^T, the layer's arithmetic makes
//
//   x W^T + scale * dropout(x) lora_A^T lora_B^T.
//
// The table's `lora` has the names of what is adapted, long enough that PEFT,
// which looks at heads too, finds nothing else by them. Pure.
//
// INVALID_ARGUMENT: a name of target_modules is no linear map's, or its numbers
//   cannot be used; the message says what there is.
absl::StatusOr<ModelTable> WithLora(ModelTable table, const LoraConfig& config);

// The names that stand behind the last dot of the linear maps' modules, in the
// table's order, each once: "q_proj".
std::vector<std::string> LinearModules(const ModelTable& table);

// Where the adapter of a linear map lies in the block of its layer's adapters.
struct AdapterPlace {
  // Numbers of tensors in the layer's own block and in that of its adapters;
  // lora_B follows lora_A.
  int weight = 0;
  int lora_a = 0;
};

// Of a layer's own block, and of its adapters'.
std::vector<AdapterPlace> AdapterPlaces(const ParameterBlock& own,
                                        const ParameterBlock& adapters);

}  // namespace hydra

#endif  // HYDRA_COMMON_MODEL_LORA_H_
