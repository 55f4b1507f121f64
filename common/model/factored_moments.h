#ifndef HYDRA_COMMON_MODEL_FACTORED_MOMENTS_H_
#define HYDRA_COMMON_MODEL_FACTORED_MOMENTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "common/model/model_table.h"

namespace hydra {

// What Adafactor keeps of a block: of a tensor of two or more dimensions, which
// is a matrix or several, the means of each row and of each column of the
// squared gradients; of any other one a second moment of each number; and of
// what is no parameter (TensorUse) nothing. Pure.

// One tensor of a state block.
struct FactoredMoment {
  // Behind the parameter's name and a dot: "exp_avg_sq_row".
  const char* name = nullptr;
  std::vector<int64_t> shape;
  int64_t element_count = 0;
  // From the start of the state block, a multiple of kTensorAlignmentBytes.
  int64_t offset_bytes = 0;
};

// What is kept of one tensor of a block.
struct FactoredMoments {
  // The row's means and the column's, or a moment of each number alone. None:
  // the tensor is no parameter.
  std::vector<FactoredMoment> moments;
  // The tensor as matrices [rows, columns], one behind the other.
  int64_t matrices = 1;
  int64_t rows = 1;
  int64_t columns = 1;

  bool is_factored() const { return moments.size() > 1; }
};

// Of each tensor of the block, in its order.
std::vector<FactoredMoments> FactoredMomentsOf(const ParameterBlock& block);

// Bytes of all of them; behind these the block's state has its master, if there
// is one.
int64_t FactoredStateBytes(const ParameterBlock& block);

}  // namespace hydra

#endif  // HYDRA_COMMON_MODEL_FACTORED_MOMENTS_H_
