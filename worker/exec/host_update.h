#ifndef HYDRA_WORKER_EXEC_HOST_UPDATE_H_
#define HYDRA_WORKER_EXEC_HOST_UPDATE_H_

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "worker/exec/block_scalars.h"
#include "worker/exec/update_ranges.h"
#include "worker/model/optimizer_kernel.h"

namespace hydra {

// The optimizer's update of one block in host memory, from one version to
// another: 12 bytes of a parameter go over the device's link for it in a step
// with Adam, in place of 28, since the moments stay where they are, as masters
// do.
//
// One thread at a time. Borrows all memory.
class HostUpdate {
 public:
  // Whole blocks. Old ones that are null are zero.
  struct Old {
    // Or masters.
    const float* parameters = nullptr;
    std::array<const float*, kMostMoments> moments = {};
    // Of masters: the parameters that were made of them, as bfloat16.
    const uint16_t* rounded = nullptr;
  };
  struct New {
    // Or masters.
    float* parameters = nullptr;
    // Null: the optimizer does not keep it.
    std::array<float*, kMostMoments> moments = {};
    // Of masters: the parameters that are made of them.
    uint16_t* rounded = nullptr;
  };

  HostUpdate(BlockScalars scalars, const Old& old, const New& made)
      : scalars_(std::move(scalars)), old_(old), new_(made) {}

  HostUpdate(const HostUpdate&) = delete;
  HostUpdate& operator=(const HostUpdate&) = delete;

  // Updates the block's ranges, which come in order, without a gap, from its
  // first element on; `gradient` is the range's. With the first gradient that
  // has an infinite element or a NaN, all of the block becomes a copy of the
  // old version.
  void Update(const BlockRange& range, const float* gradient);

  // Before the first range: all gradients are multiplied with this.
  void ScaleGradients(float factor) { scalars_.ScaleGradients(factor); }

  // Before the first range: all of the block becomes a copy of the old version.
  void Skip() { skipped_ = true; }

  // Whether it does.
  const bool& skipped() const { return skipped_; }

 private:
  void Copy(int64_t first, int64_t last);

  BlockScalars scalars_;
  const Old old_;
  const New new_;
  bool skipped_ = false;
  // What old versions that are zero are read from.
  std::vector<float> zeros_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_HOST_UPDATE_H_
