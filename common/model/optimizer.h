#ifndef HYDRA_COMMON_MODEL_OPTIMIZER_H_
#define HYDRA_COMMON_MODEL_OPTIMIZER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "hydra/v1/job.pb.h"

namespace hydra {

// All that is known of optimizers, but for their arithmetic
// (worker/model/optimizer_step.h). Pure.

// A field of TrainSpec that only some optimizers read: every one reads
// learning_rate and weight_decay.
struct OptimizerField {
  absl::string_view name;
  double default_value = 0;
};

// What an optimizer is like.
struct OptimizerTraits {
  std::vector<OptimizerField> fields;
  // What it keeps of each parameter, as a checkpoint's tensors are named, in
  // the order in which a state block holds them. Each is laid out like the
  // parameter block.
  std::vector<std::string> moments;
  // It keeps them only with a momentum other than 0.
  bool moments_need_momentum = false;
  // What it keeps is no moment of each parameter but that of
  // factored_moments.h, and it needs a tensor's gradient as a whole: gradients
  // wait in the pool, and updates are tasks of their own.
  bool factors_moments = false;
};

// The table. Null for what is no optimizer, such as a number of a later
// version. Names every optimizer, so that the compiler asks for a new one.
const OptimizerTraits* FindOptimizer(hydra::v1::Optimizer optimizer);

bool ReadsField(hydra::v1::Optimizer optimizer, absl::string_view field);

// The optimizers that read the field, as job files write them.
std::vector<std::string> OptimizersThatRead(absl::string_view field);

// Sets the optimizer and the fields of all optimizers where they are not set.
void FillOptimizerDefaults(hydra::v1::TrainSpec& train);

// The moments that the job's optimizer keeps; none for what is no optimizer.
std::vector<std::string> MomentsOf(const hydra::v1::TrainSpec& train);

// How many times the bytes of its parameters they take: their number.
int64_t OptimizerStateFactor(const hydra::v1::TrainSpec& train);

// Whether the job's optimizer does, see OptimizerTraits.
bool FactorsMoments(const hydra::v1::TrainSpec& train);

// What an optimizer is told for one update; see hydra.v1.TrainSpec.
struct Hyperparameters {
  hydra::v1::Optimizer optimizer = hydra::v1::OPTIMIZER_UNSPECIFIED;
  double learning_rate = 0;
  double weight_decay = 0;
  double beta1 = 0;
  double beta2 = 0;
  double epsilon = 0;
  double momentum = 0;
};

// Those of step number `step`, from 0, of `total_steps`. `train` has every
// default filled in.
Hyperparameters At(const hydra::v1::TrainSpec& train, int64_t step,
                   int64_t total_steps);

}  // namespace hydra

#endif  // HYDRA_COMMON_MODEL_OPTIMIZER_H_
