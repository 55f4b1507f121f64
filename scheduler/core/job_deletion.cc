#include "scheduler/core/job_deletion.h"

namespace hydra {

bool JobDeletion::Delete(const EndedJob& ended) {
  if (Job* job = book_->Find(ended.id)) {
    if (!job->ended() || checkpoints_->writing() == job->id) return false;
    checkpoints_->RemoveAll(*job);
    book_->Delete(ended.id);
  } else {
    for (const std::string& path : ended.checkpoints) {
      actions_->push_back(CheckpointRemoval{ended.id, path, ended.owner});
    }
  }
  journal_->JobDeleted(ended.id);
  actions_->push_back(LogRemoval{ended.id});
  return true;
}

}  // namespace hydra
