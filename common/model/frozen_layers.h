#ifndef HYDRA_COMMON_MODEL_FROZEN_LAYERS_H_
#define HYDRA_COMMON_MODEL_FROZEN_LAYERS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/model/model_table.h"

namespace hydra {

// The model without the training of some of its blocks: of those all of whose
// tensors' names, or aliases, the patterns match, as fnmatch(3) matches without
// flags: "transformer.h.0.*". None: the table as it is. Pure.
//
// INVALID_ARGUMENT: a pattern matches no tensor, together they match some but
//   not all tensors of a block, or all of the model; the message names what is
//   missing and what to write.
absl::StatusOr<ModelTable> WithFrozen(ModelTable table,
                                      const std::vector<std::string>& patterns);

}  // namespace hydra

#endif  // HYDRA_COMMON_MODEL_FROZEN_LAYERS_H_
