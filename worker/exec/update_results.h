#ifndef HYDRA_WORKER_EXEC_UPDATE_RESULTS_H_
#define HYDRA_WORKER_EXEC_UPDATE_RESULTS_H_

#include <memory>
#include <utility>
#include <vector>

#include "worker/exec/gradient_clip.h"

namespace hydra {

// What became of a task's updates: known once those of the host are done. Not
// thread-safe.
class UpdateResults {
 public:
  // The device did it.
  void Add(int block, bool skipped) {
    if (skipped) entries_.push_back({block, nullptr});
  }
  // The host does it, and knows then whether the block was skipped.
  void Add(int block, std::shared_ptr<const bool> skipped) {
    entries_.push_back({block, std::move(skipped)});
  }

  // Made by the host, as its updates.
  void SetClip(std::shared_ptr<const GradientClip> clip) {
    clip_ = std::move(clip);
  }
  // Null if the task has none.
  const GradientClip* clip() const { return clip_.get(); }

  // The blocks that were not updated, in the order of their updates. The host's
  // updates must be done.
  std::vector<int> SkippedBlocks() const {
    std::vector<int> skipped;
    for (const auto& [block, was_skipped] : entries_) {
      if (was_skipped == nullptr || *was_skipped) skipped.push_back(block);
    }
    return skipped;
  }

 private:
  // Null: skipped by the device.
  std::vector<std::pair<int, std::shared_ptr<const bool>>> entries_;
  std::shared_ptr<const GradientClip> clip_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_UPDATE_RESULTS_H_
