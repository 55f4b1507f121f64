#ifndef HYDRA_WORKER_EXEC_FACTORED_UPDATE_H_
#define HYDRA_WORKER_EXEC_FACTORED_UPDATE_H_

#include <cstdint>

#include "common/model/model_table.h"
#include "worker/exec/gradient_clip.h"
#include "worker/model/adafactor.h"

namespace hydra {

// Adafactor's update of one block in host memory, from one version to another,
// with all of the block's gradient. One thread at a time. Borrows all memory,
// and the block.
class FactoredUpdate {
 public:
  // Whole blocks, each another one. An old state that is null is zero.
  struct Memory {
    // Or masters.
    const float* parameters = nullptr;
    // The moments.
    const float* state = nullptr;
    float* new_parameters = nullptr;
    float* new_state = nullptr;
    // Of masters: the parameters that are made of them, as bfloat16.
    const uint16_t* rounded = nullptr;
    uint16_t* new_rounded = nullptr;
  };

  FactoredUpdate(const ParameterBlock& block, const AdafactorScalars& scalars,
                 bool decays_matrices_alone, const Memory& memory);

  FactoredUpdate(const FactoredUpdate&) = delete;
  FactoredUpdate& operator=(const FactoredUpdate&) = delete;

  // Once. With a gradient that has an infinite element or a NaN, or one whose
  // square is infinite, or a norm that is not finite, the new version becomes a
  // copy of the old one.
  void Update(const float* gradient, const GradientClip& clip);

  // Whether it did.
  const bool& skipped() const { return skipped_; }

 private:
  void Copy() const;
  void Round() const;
  void ZeroPadding() const;

  const ParameterBlock& block_;
  AdafactorScalars scalars_;
  const bool decays_matrices_alone_;
  const Memory memory_;
  const int64_t state_elements_;
  bool skipped_ = false;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_FACTORED_UPDATE_H_
