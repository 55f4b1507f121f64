#ifndef HYDRA_WORKER_SESSION_LATENCY_RECORDER_H_
#define HYDRA_WORKER_SESSION_LATENCY_RECORDER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace hydra {

// Exact quantiles of the newest durations, at most 100,000 of them.
//
// A plain value; not thread-safe.
class LatencyRecorder {
 public:
  static constexpr int64_t kMaxSamples = 100000;

  void Add(absl::Duration sample);

  // All that were ever added.
  int64_t count() const { return count_; }

  // The smallest kept sample that at least `quantile` (0 to 1) of the kept ones
  // do not exceed. Zero if there is none.
  absl::Duration Quantile(double quantile) const;

  // Writes one line of JSON in place of what `path` holds:
  // {"count":2,"p50_us":30.5,"p99_us":41.0,"max_us":41.0}
  //
  // Errors: what the system said of the path.
  absl::Status WriteTo(const std::string& path) const;

 private:
  int64_t count_ = 0;
  std::vector<absl::Duration> samples_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_SESSION_LATENCY_RECORDER_H_
