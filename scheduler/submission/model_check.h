#ifndef HYDRA_SCHEDULER_SUBMISSION_MODEL_CHECK_H_
#define HYDRA_SCHEDULER_SUBMISSION_MODEL_CHECK_H_

#include <optional>
#include <string>
#include <vector>

#include "common/jobfile/mistakes.h"
#include "common/model/model_table.h"
#include "common/shared/shared.h"
#include "hydra/v1/job.pb.h"
#include "scheduler/submission/path_policy.h"

namespace hydra {

// A model directory as a submission sees it.
struct CheckedModel {
  // The directory can be read.
  bool is_there = false;
  // Of config.json or chain.json, as the trained model's will be (see
  // TrainedModelConfig).
  Shared<std::string> config_json;
  // Without what a job says otherwise of its model. Absent if that file cannot
  // be used.
  std::optional<ModelTable> table;
  // Of its weights, if it is to be trained from them; see IdentityOf.
  std::string weights_identity;
  // Of all of those weights that the model takes; FLOAT32 where they differ,
  // and where there are none.
  hydra::v1::ParameterType weights_type = hydra::v1::PARAMETER_TYPE_FLOAT32;
  // Tensors that its weights lack, and that are drawn (weight_match.h).
  std::vector<std::string> drawn;
  // What is wrong with it, each with its field.
  Mistakes mistakes;
  std::vector<std::string> warnings;
};

// Reads what can be known of a model before a job runs: its config.json, or,
// where there is none, the chain.json of an exported chain, with the files that
// this names, where such chains are allowed; and, if it is to be trained from
// its weights, the names, shapes and types of these. Runs nothing of it. Reads
// no weights but a tied head that has to be compared with its embedding.
// Requires the defaults of `spec` filled in.
CheckedModel CheckModel(const hydra::v1::ModelSpec& spec,
                        const PathPolicy& paths, bool allows_exported_chains);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SUBMISSION_MODEL_CHECK_H_
