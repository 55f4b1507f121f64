#ifndef HYDRA_COMMON_MODEL_FROZEN_LAYERS_H_
#define HYDRA_COMMON_MODEL_FROZEN_LAYERS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/model/model_table.h"

namespace hydra {

// The model without the training of some of its tensors: of those whose names,
// or aliases, the patterns match, as fnmatch(3) matches without flags:
// "transformer.h.0.*". None: the table as it is. Pure.
//
// A block all of whose tensors match is frozen. One of which some do is
// divided: what is trained stays where it is, and the other tensors are a
// frozen block of their own, which stands behind the model's blocks, and behind
// the layer's own in each layer that uses it (ParameterBlock::divided_from). So
// the numbers of all that is trained, and their order, stay as they are.
//
// What a batch norm remembers (TensorUse) is frozen where a pattern matches it,
// too; else it is in the part that is trained, whatever becomes of the norm's
// parameters.
//
// INVALID_ARGUMENT: a pattern matches no tensor, or together they match all of
//   the model, or of a block all but what batch norms remember; the message
//   names what there is.
absl::StatusOr<ModelTable> WithFrozen(ModelTable table,
                                      const std::vector<std::string>& patterns);

}  // namespace hydra

#endif  // HYDRA_COMMON_MODEL_FROZEN_LAYERS_H_
