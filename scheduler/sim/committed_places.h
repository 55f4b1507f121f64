#ifndef HYDRA_SCHEDULER_SIM_COMMITTED_PLACES_H_
#define HYDRA_SCHEDULER_SIM_COMMITTED_PLACES_H_

#include <cstdint>
#include <map>

#include "common/chain/task_chain.h"
#include "common/ids/ids.h"
#include "scheduler/core/job.h"
#include "scheduler/core/job_book.h"

namespace hydra {

// Where each job of a simulated world is, by what is in the pool's journal.
// What a job has committed it never does again, but after a loss of the pool.
// Not thread-safe.
class CommittedPlaces {
 public:
  // `seed` is the world's, for whoever looks for what is wrong.
  explicit CommittedPlaces(uint64_t seed) : seed_(seed) {}

  void Note(const JobBook& jobs);
  void NotePoolLost() { pool_lost_ = true; }
  // No job of a daemon that has just begun is behind its place. Notes them,
  // too.
  void Check(const JobBook& jobs);

 private:
  void CheckOne(JobId id, const ChainPosition& position, const Job& job) const;

  const uint64_t seed_;
  std::map<JobId, ChainPosition> places_;
  // Since the last Check().
  bool pool_lost_ = false;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SIM_COMMITTED_PLACES_H_
