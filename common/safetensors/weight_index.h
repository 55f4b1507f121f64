#ifndef HYDRA_COMMON_SAFETENSORS_WEIGHT_INDEX_H_
#define HYDRA_COMMON_SAFETENSORS_WEIGHT_INDEX_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hydra::safetensors {

// "weight_map" of a model.safetensors.index.json: a tensor's name to the name
// of the file that holds it. Other fields are ignored, "metadata" with its
// total_size too, which published models are known to get wrong.
//
// INVALID_ARGUMENT: not such JSON; no or two weight_maps; a tensor twice; a
//   file that is not a plain name within the directory (a '/', "..", a control
//   character, more than 255 B). The message names the entry.
absl::StatusOr<std::map<std::string, std::string>> ParseWeightIndex(
    absl::string_view json);

}  // namespace hydra::safetensors

#endif  // HYDRA_COMMON_SAFETENSORS_WEIGHT_INDEX_H_
