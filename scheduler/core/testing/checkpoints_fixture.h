#ifndef HYDRA_SCHEDULER_CORE_TESTING_CHECKPOINTS_FIXTURE_H_
#define HYDRA_SCHEDULER_CORE_TESTING_CHECKPOINTS_FIXTURE_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "common/ids/ids.h"
#include "scheduler/core/checkpoints.h"
#include "scheduler/core/testing/book_job.h"
#include "scheduler/policy/sharded_lrtf.h"

namespace hydra {

// Checkpoints with a pool for some small jobs, which are due after every second
// step.
class CheckpointsFixture : public ::testing::Test {
 protected:
  // A job that came to `place` now, and was begun now.
  Job& AddAt(uint64_t id, const ChainPosition& place) {
    Job& job = AddSmallJob(id, book_);
    PutIntoChain(place, job, blocks_);
    job.checkpointed_at = now_;
    job.step_ended_at = now_;
    return job;
  }
  static void AddOutstanding(const ChainPosition& place, Job& job) {
    OutstandingTask task;
    task.position = place;
    job.outstanding.push_back(task);
  }
  void EndStep(Job& job) { checkpoints_.EndOfStep(job, now_); }
  void Written(JobId job) { checkpoints_.Written(job, int64_t{1000}, now_); }

  // Of the actions since the last call, those of one type.
  template <typename T>
  std::vector<T> Take() {
    std::vector<T> taken;
    for (Action& action : std::exchange(actions_, {})) {
      if (T* found = std::get_if<T>(&action))
        taken.push_back(std::move(*found));
    }
    return taken;
  }
  // Whose checkpoints should be written since the last call.
  std::vector<JobId> TakeRequested() {
    std::vector<JobId> jobs;
    for (const CheckpointRequest& request : Take<CheckpointRequest>()) {
      jobs.push_back(request.job);
    }
    return jobs;
  }
  std::vector<JobId> TakeAllAwake() {
    std::vector<JobId> jobs;
    while (std::optional<JobId> job = queue_.TakeAwake()) jobs.push_back(*job);
    return jobs;
  }
  // Where the job's checkpoints are, "checkpoint-4".
  static std::vector<std::string> Kept(const Job& job) {
    std::vector<std::string> names;
    for (const journal::v1::CheckpointRecord& checkpoint : *job.checkpoints) {
      const std::string& path = checkpoint.info().path();
      names.push_back(path.substr(path.rfind('/') + 1));
    }
    return names;
  }

  absl::Time now_ = absl::FromUnixSeconds(100'000);
  CoreOptions options_;
  Journal journal_;
  Actions actions_;
  JobBook book_{&journal_, &actions_};
  ShardedLrtf policy_;
  JobQueue queue_{&policy_, &book_};
  BlockTable blocks_{0, 4 << 20};
  Checkpoints checkpoints_{&options_, &book_,    &queue_,
                           &blocks_,  &journal_, &actions_};
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_TESTING_CHECKPOINTS_FIXTURE_H_
