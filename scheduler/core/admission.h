#ifndef HYDRA_SCHEDULER_CORE_ADMISSION_H_
#define HYDRA_SCHEDULER_CORE_ADMISSION_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/status/status.h"
#include "common/chain/job_shape.h"
#include "common/ids/ids.h"
#include "hydra/v1/status.pb.h"

namespace hydra {

// Pool bytes that a job needs so that it can always finish a step once it has
// begun one: its committed state, its base, all boundaries of a round of one
// step, the gradients that wait, and the fresh slots of the task that writes
// most. Pure. Requires shape.shards.
hydra::v1::PoolDemand DemandOf(const JobShape& shape);

// A bound below DemandOf for every way to cut the model, for refusing a job
// before its cut points are known.
hydra::v1::PoolDemand LeastDemandOf(const JobShape& shape);

// Keeps the pool's promises: the sum of the admitted jobs' demands, and what
// the workers' lookahead may take beside, are never more than the pool has. A
// base that several of them have counts once.
//
// A job's tasks are all in one worker's hand, and its demand has room for one
// of them. So the lookahead takes most when each worker holds as many tasks as
// it may of another one of the jobs that write most: the lookahead times the
// sum of the min(workers, jobs) largest of the jobs' largest writes.
//
// Not thread-safe. Takes time in the number of workers, and logarithmic in that
// of the jobs.
class Admission {
 public:
  // `pool_bytes`: what can be promised.
  Admission(int64_t pool_bytes, int workers, int lookahead);

  // RESOURCE_EXHAUSTED: `demand` is too much even for the empty pool.
  absl::Status CanEverFit(const hydra::v1::PoolDemand& demand) const;

  // `base`: names the parameters that are demand.base_bytes; empty: nobody else
  // has them. `kept_bytes`: what checkpoints that are being written hold
  // beside.
  //
  // RESOURCE_EXHAUSTED: not now; what it waits for, with the numbers.
  absl::Status Admit(JobId job, const hydra::v1::PoolDemand& demand,
                     const std::string& base, int64_t kept_bytes);

  // As Admit, for a job that an earlier daemon admitted.
  void Readmit(JobId job, const hydra::v1::PoolDemand& demand,
               const std::string& base);

  // Does nothing for a job that was not admitted.
  void Release(JobId job);

  int64_t reserved_bytes() const;
  // What is promised to nobody; negative where more is reserved.
  int64_t spare_bytes() const { return pool_bytes_ - reserved_bytes(); }

 private:
  struct Promise {
    // Without a base that others may have.
    int64_t own_bytes = 0;
    int64_t largest_write_bytes = 0;
    std::string base;
  };
  struct Base {
    int64_t bytes = 0;
    int64_t jobs = 0;
  };
  // What the job's admission adds to the sum.
  int64_t AddedBytes(const hydra::v1::PoolDemand& demand,
                     const std::string& base) const;
  // What the lookahead may take, with one more job that writes so much.
  int64_t LookaheadWith(int64_t write_bytes) const;

  const int64_t pool_bytes_;
  const int workers_;
  const int lookahead_;
  absl::btree_map<JobId, Promise> admitted_;
  absl::btree_map<std::string, Base> bases_;
  // Of the admitted jobs: the sum of their demands, each base once, and their
  // largest writes, largest first.
  int64_t total_bytes_ = 0;
  absl::btree_multiset<int64_t, std::greater<int64_t>> writes_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_ADMISSION_H_
