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
// (train.no_decay_biases_and_norms). Pure.
class BlockScalars {
 public:
  // The same for all elements of any block.
  explicit BlockScalars(const UpdateScalars& scalars)
      : decayed_(scalars), other_(scalars) {}

  // As the job has it for this block.
  BlockScalars(const UpdateScalars& scalars, const hydra::v1::TrainSpec& train,
               const ParameterBlock& block);

  void ScaleGradients(float factor) {
    decayed_.gradient_scale = factor;
    other_.gradient_scale = factor;
  }

  // Calls update(scalars, first, count) for the parts of the block's elements
  // [begin, begin + size), in order: all elements of a part have the same ones.
  template <typename Update>
  void ForEachPart(int64_t begin, int64_t size, const Update& update) const {
    const int64_t end = begin + size;
    for (const Part& part : not_decayed_) {
      if (part.end <= begin) continue;
      if (part.begin >= end) break;
      if (part.begin > begin) update(decayed_, begin, part.begin - begin);
      const int64_t first = std::max(begin, part.begin);
      begin = std::min(end, part.end);
      update(other_, first, begin - first);
    }
    if (begin < end) update(decayed_, begin, end - begin);
  }

 private:
  // Of elements.
  struct Part {
    int64_t begin = 0;
    int64_t end = 0;
  };

  UpdateScalars decayed_;
  UpdateScalars other_;
  // Ascending, with a gap between two.
  std::vector<Part> not_decayed_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_BLOCK_SCALARS_H_
