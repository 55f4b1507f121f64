#ifndef HYDRA_WORKER_EXEC_UPDATE_RESULTS_H_
#define HYDRA_WORKER_EXEC_UPDATE_RESULTS_H_

#include <memory>
#include <utility>
#include <vector>

#include "worker/exec/gradient_clip.h"
#include "worker/exec/host_update.h"

namespace hydra {

// What became of a task's updates: known once those of the host are done. Not
// thread-safe.
class UpdateResults {
 public:
  // The device did it.
  void Add(int block, bool skipped) {
    if (skipped) entries_.push_back({block, nullptr});
  }
  // The host does it.
  void Add(int block, std::shared_ptr<const HostUpdate> update) {
    entries_.push_back({block, std::move(update)});
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
    for (const auto& [block, update] : entries_) {
      if (update == nullptr || update->skipped()) skipped.push_back(block);
    }
    return skipped;
  }

 private:
  // Null: skipped by the device.
  std::vector<std::pair<int, std::shared_ptr<const HostUpdate>>> entries_;
  std::shared_ptr<const GradientClip> clip_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_UPDATE_RESULTS_H_
