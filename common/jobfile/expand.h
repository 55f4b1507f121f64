#ifndef HYDRA_COMMON_JOBFILE_EXPAND_H_
#define HYDRA_COMMON_JOBFILE_EXPAND_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/jobfile/mistakes.h"
#include "hydra/v1/job.pb.h"

// From a sweep's grid to its jobs. Pure.
namespace hydra {

// In the hundreds for any sweep that somebody will look at; the limits keep a
// slip of the pen, or malice, from filling the daemon's memory.
inline constexpr int kMaxJobsPerSweep = 10'000;
inline constexpr size_t kMaxGridValueBytes = 1024;
inline constexpr int64_t kMaxSweepBytes = int64_t{256} << 20;

struct ExpandedJob {
  v1::JobSpec spec;
  // What the grid set, in its order: "learning_rate=0.001". Values are as the
  // grid writes them.
  std::vector<std::string> parameters;
};

// Adds what is wrong with one axis: a field that does not exist, is a section
// or a list, no values, values of the wrong type, values given twice (1e-3 and
// 0.001 are the same). The mistakes' field is the axis's path.
void CheckAxis(const v1::GridAxis& axis, Mistakes* mistakes);

// CheckAxis for every axis, and what they can only get wrong together: a field
// with two axes, more than kMaxJobsPerSweep jobs.
Mistakes CheckGrid(absl::Span<const v1::GridAxis> grid);

// The cross product of the axes, the first one slowest; without axes, `base`
// alone. A grid's values replace those of `base`. With more than one job, names
// (or "job", for none) get a suffix: "-01", "-02". Defaults are not filled in
// and the jobs are not validated: do both after this, since they depend on the
// grid's values.
//
// INVALID_ARGUMENT: what CheckGrid finds, see ToStatus; or the jobs would take
//   more than kMaxSweepBytes together.
absl::StatusOr<std::vector<ExpandedJob>> ExpandGrid(
    const v1::JobSpec& base, absl::Span<const v1::GridAxis> grid);

}  // namespace hydra

#endif  // HYDRA_COMMON_JOBFILE_EXPAND_H_
