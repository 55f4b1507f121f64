#ifndef HYDRA_WORKER_MODEL_OPTIMIZER_KERNEL_H_
#define HYDRA_WORKER_MODEL_OPTIMIZER_KERNEL_H_

#include <array>
#include <cstdint>

namespace hydra {

// The arithmetic of the optimizers' updates, on plain arrays. Pure.

// Moments that an update takes: no optimizer keeps more.
inline constexpr int kMostMoments = 2;
// And a master.
inline constexpr int kMostStateParts = kMostMoments + 1;

// The numbers that one update computes with, the same for all elements.
struct UpdateScalars {
  enum class Rule {
    kSgd,
    // SGD with momentum, which is the first moment.
    kMomentum,
    // Adam and AdamW: they differ in how they fill in decay_into_gradient and
    // kept_parameter.
    kAdam,
    // The parameter moves by step_size against the sign of a mean of momentum
    // and gradient, which is of other weights than the next momentum.
    kLion,
    // No optimizer's: what stands where the gradient would be becomes the new
    // value as it is, and the moments stay. Of what a batch norm remembers, see
    // TensorUse.
    kTake,
  };
  Rule rule = Rule::kSgd;
  // What the gradient is multiplied with, before all else; not with kTake.
  float gradient_scale = 1;
  // Of the parameter, added to its gradient.
  float decay_into_gradient = 0;
  // What is left of the parameter before the step.
  float kept_parameter = 1;
  // What the parameter moves by for each unit of its gradient or momentum, or,
  // with kAdam, of first moment over root of the second, or, with kLion, at
  // all.
  float step_size = 0;
  // What is left of the moments, and what the gradient gives to them. SGD's
  // momentum takes the gradient as it is. With kLion, the first two make the
  // mean whose sign counts, and the second two the one moment.
  float kept_first = 0;
  float into_first = 0;
  float kept_second = 0;
  float into_second = 0;
  // Of kAdam: what the second moment's root is to be multiplied with, and then
  // to be added.
  float root_scale = 0;
  float epsilon = 0;
};

// What one update reads and makes. Each target may be its own source, for an
// update in place; otherwise arrays do not overlap. Moments that the rule has
// none of are null.
struct UpdateArrays {
  const float* gradient = nullptr;
  const float* parameters = nullptr;
  std::array<const float*, kMostMoments> moments = {};

  float* new_parameters = nullptr;
  // Gets the new parameters too; may be `new_parameters`.
  float* copied_parameters = nullptr;
  // Where `parameters` are masters: get the new ones as bfloat16, as
  // RoundToBFloat16 has them, both. Null: nowhere.
  std::array<uint16_t*, 2> rounded_parameters = {};
  std::array<float*, kMostMoments> new_moments = {};

  // New parameters and moments, and the first of the rounded ones, go to memory
  // past the processor's caches: for arrays larger than these. That spares
  // reading what is written over.
  bool past_caches = false;
};

// The processors' instructions that it is compiled for. All give the same bits:
// each element is computed by itself, with correctly rounded operations, none
// of which are fused.
enum class InstructionSet { kBaseline, kAvx2 };

bool IsAvailable(InstructionSet instructions);

// Updates the elements [first, last), with the best instructions that there
// are.
void UpdateElements(const UpdateScalars& scalars, const UpdateArrays& arrays,
                    int64_t first, int64_t last);
// With these, which must be available.
void UpdateElementsWith(InstructionSet instructions,
                        const UpdateScalars& scalars,
                        const UpdateArrays& arrays, int64_t first,
                        int64_t last);

// The bits of each number's nearest bfloat16; of two that are as near, of the
// even one. NaN stays NaN, and a number beyond the largest becomes infinite.
void RoundToBFloat16(const float* from, int64_t count, uint16_t* to);

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_OPTIMIZER_KERNEL_H_
