#ifndef HYDRA_SCHEDULER_RUNTIME_JOB_METER_H_
#define HYDRA_SCHEDULER_RUNTIME_JOB_METER_H_

#include <cstdint>
#include <utility>

#include "absl/container/btree_map.h"
#include "absl/time/time.h"
#include "hydra/v1/status.pb.h"
#include "scheduler/core/caller.h"
#include "scheduler/runtime/histogram.h"

namespace hydra {

// Counts jobs by owner and state as they come, change and go, and what they did
// while they were watched. A value; its owner tells it of each change.
class JobMeter {
 public:
  // What it needs to know of a job.
  struct Seen {
    Caller owner;
    hydra::v1::JobState state = hydra::v1::JOB_STATE_UNSPECIFIED;
    int64_t step = 0;
    // Of one step.
    int64_t step_tokens = 0;
    absl::Time submitted_at = absl::InfinitePast();
    // Infinitely long ago: it has not.
    absl::Time started_at = absl::InfinitePast();
  };

  JobMeter();

  // A job is known that was not before.
  void Come(const Seen& now);
  void Change(const Seen& before, const Seen& now);
  // It is forgotten.
  void Go(const Seen& before);

  // None of them is 0.
  const absl::btree_map<std::pair<Caller, hydra::v1::JobState>, int64_t>& jobs()
      const {
    return jobs_;
  }
  // Steps and tokens of jobs that went on, again if they went back before. It
  // never falls.
  int64_t steps() const { return steps_; }
  int64_t tokens() const { return tokens_; }
  // Seconds from submission to the first task of jobs that got it.
  const Histogram& waits() const { return waits_; }

 private:
  absl::btree_map<std::pair<Caller, hydra::v1::JobState>, int64_t> jobs_;
  int64_t steps_ = 0;
  int64_t tokens_ = 0;
  Histogram waits_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_RUNTIME_JOB_METER_H_
