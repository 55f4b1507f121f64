#ifndef HYDRA_WORKER_EXEC_BLOCK_SCALARS_H_
#define HYDRA_WORKER_EXEC_BLOCK_SCALARS_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "common/model/model_table.h"
#include "hydra/v1/job.pb.h"
#include "worker/model/optimizer_kernel.h"

namespace hydra {

// What each element of a parameter block is updated with: the same for all, but
// that weight decay leaves some tensors alone if the job says so
// (train.no_decay_biases_and_norms), and that what is no parameter is taken as
// it is (TensorUse). Pure.
class BlockScalars {
 public:
  // The same for all elements of any block.
  explicit BlockScalars(const UpdateScalars& scalars)
      : decayed_(scalars), not_decayed_(scalars) {
    taken_.rule = UpdateScalars::Rule::kTake;
  }

  // As the job has it for this block.
  BlockScalars(const UpdateScalars& scalars, const hydra::v1::TrainSpec& train,
               const ParameterBlock& block);

  void ScaleGradients(float factor) {
    decayed_.gradient_scale = factor;
    not_decayed_.gradient_scale = factor;
  }

  // Calls update(scalars, first, count) for the parts of the block's elements
  // [begin, begin + size), in order: all elements of a part have the same ones.
  template <typename Update>
  void ForEachPart(int64_t begin, int64_t size, const Update& update) const {
    const int64_t end = begin + size;
    for (const Part& part : other_parts_) {
      if (part.end <= begin) continue;
      if (part.begin >= end) break;
      if (part.begin > begin) update(decayed_, begin, part.begin - begin);
      const int64_t first = std::max(begin, part.begin);
      begin = std::min(end, part.end);
      update(part.is_taken ? taken_ : not_decayed_, first, begin - first);
    }
    if (begin < end) update(decayed_, begin, end - begin);
  }

 private:
  // Of elements.
  struct Part {
    int64_t begin = 0;
    int64_t end = 0;
    // Else it does not decay.
    bool is_taken = false;
  };

  UpdateScalars decayed_;
  UpdateScalars not_decayed_;
  UpdateScalars taken_;
  // Ascending; two with a common end are not of the same kind.
  std::vector<Part> other_parts_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_BLOCK_SCALARS_H_
