#ifndef HYDRA_COMMON_MODEL_BASE_KEY_H_
#define HYDRA_COMMON_MODEL_BASE_KEY_H_

#include <string>

#include "absl/strings/string_view.h"
#include "common/model/model_table.h"
#include "common/safetensors/weight_directory.h"
#include "hydra/v1/job.pb.h"

namespace hydra {

// Which files these are: their devices, inodes, sizes, and when they and their
// inodes were changed. The same file by another name is the same; a copy of it,
// and one that was written anew, is not.
std::string IdentityOf(const safetensors::WeightDirectory& weights);

// Names the values of a job's frozen parameters: jobs have equal keys if their
// frozen blocks are the same ones, with the same tensors, and get their values
// from the same files, or are drawn with the same seed. Empty: no block is
// frozen. `weights`: IdentityOf the model's, where it begins from them.
// Requires the defaults of `spec` filled in.
std::string BaseKey(const hydra::v1::JobSpec& spec, const ModelTable& table,
                    absl::string_view weights);

}  // namespace hydra

#endif  // HYDRA_COMMON_MODEL_BASE_KEY_H_
