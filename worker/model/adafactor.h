#ifndef HYDRA_WORKER_MODEL_ADAFACTOR_H_
#define HYDRA_WORKER_MODEL_ADAFACTOR_H_

#include <cstdint>

#include "common/model/factored_moments.h"
#include "common/model/model_table.h"
#include "common/model/optimizer.h"

namespace hydra {

// Adafactor's update (Shazeer and Stern, arXiv 1804.04235) as transformers'
// Adafactor makes it with relative_step, scale_parameter and warmup_init False:
// decay_rate -0.8, eps (1e-30, 1e-3), clip_threshold 1, no first moment.
//
// A tensor is updated as a whole: with the means of its rows and columns, and
// the root mean square of its update. Sums are made in double, those of a row,
// of a column and of the rows' squares each in an order that follows from the
// tensor's shape alone, so that any number of threads gives the same bits; no
// operation is fused.

// The numbers that one update computes with, the same for all tensors, but for
// decay.
struct AdafactorScalars {
  // What the gradient is multiplied with, before all else.
  float gradient_scale = 1;
  // What is left of a mean, and what the squared gradients give to it.
  float kept = 0;
  float into = 1;
  float step_size = 0;
  // What the parameter loses of itself before the step.
  float decay = 0;
};

// Those of update number `step`, from 1; calculated in double.
AdafactorScalars AdafactorScalarsAt(const Hyperparameters& hyperparameters,
                                    int64_t step);

// One tensor: numbers that lie behind each other in host memory.
struct AdafactorArrays {
  const float* gradient = nullptr;
  const float* parameters = nullptr;
  // Of the block's state; null: zero.
  const float* state = nullptr;
  // Each may be its own source.
  float* new_parameters = nullptr;
  float* new_state = nullptr;
};

// Updates the tensor, a parameter, in LibTorch's threads. `state` and
// `new_state` begin where the block's state does, and only the tensor's own
// moments are read and made. Takes memory for some numbers of each row and
// column.
void UpdateTensor(const AdafactorScalars& scalars, const FactoredMoments& kept,
                  const AdafactorArrays& arrays);

// Updates all of a block's tensors: its flats, from their beginnings. Decay
// leaves tensors of one dimension alone if `decays_matrices_alone`. What is no
// parameter (TensorUse) becomes what stands where its gradient would be. What
// lies between tensors is not touched.
void UpdateTensors(const AdafactorScalars& scalars, const ParameterBlock& block,
                   bool decays_matrices_alone, const AdafactorArrays& arrays);

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_ADAFACTOR_H_
