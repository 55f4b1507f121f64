#ifndef HYDRA_SCHEDULER_STORAGE_SAVED_MODEL_H_
#define HYDRA_SCHEDULER_STORAGE_SAVED_MODEL_H_

#include <memory>
#include <string>

#include "common/file/scratch_directory.h"
#include "common/pool/pool_file.h"
#include "scheduler/core/actions.h"

namespace hydra {

// A small model in a pool, and the requests to write it to "out" in a folder of
// its own. All of its parameters are 1.
class SavedModel {
 public:
  SavedModel();

  const PoolFile& pool() const { return *pool_; }
  // Has "vocab.json" in "tokenizer", and an empty "model".
  const ScratchDirectory& folder() const { return folder_; }
  std::string PathOf(const std::string& name) const {
    return folder_.PathOf(name);
  }

  SaveRequest save;
  // Beside "out", as "checkpoint-1".
  CheckpointRequest checkpoint;

 private:
  ScratchDirectory folder_;
  std::unique_ptr<PoolFile> pool_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_STORAGE_SAVED_MODEL_H_
