#ifndef HYDRA_COMMON_MODEL_DESCRIBE_H_
#define HYDRA_COMMON_MODEL_DESCRIBE_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/model/model_families.h"
#include "common/model/model_table.h"

namespace hydra {

// The families that Hydra trains. A new one is a line here, its description
// beside this file, and the layers of its ops in worker/model.
const ModelFamilies& KnownFamilies();

// The table of a model of one of them, from the text of its config.json.
//
// INVALID_ARGUMENT: as ModelFamilies::Describe.
absl::StatusOr<ModelTable> Describe(absl::string_view config_json,
                                    const ModelOverrides& overrides);

}  // namespace hydra

#endif  // HYDRA_COMMON_MODEL_DESCRIBE_H_
