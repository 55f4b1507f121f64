#include "tests/fuzz/validate_jobs.h"

#include <algorithm>
#include <cstddef>

#include "common/jobfile/expand.h"
#include "common/jobfile/mistakes.h"
#include "common/jobfile/validate.h"
#include "glog/logging.h"
#include "tests/fuzz/fuzz_check.h"

namespace hydra {
namespace {

// A sweep's jobs differ little; looking at thousands of them costs much.
constexpr size_t kMostJobs = 32;

absl::Status Validate(const v1::JobSpec& job) {
  Mistakes mistakes;
  ValidateJob(job, &mistakes);
  return ToStatus(mistakes);
}

}  // namespace

void ExpandAndValidate(const v1::JobSpec& base,
                       absl::Span<const v1::GridAxis> grid) {
  auto jobs = ExpandGrid(base, grid);
  CheckSpeaksPlainly(jobs.status());
  if (!jobs.ok()) return;
  jobs->resize(std::min(jobs->size(), kMostJobs));
  for (ExpandedJob& job : *jobs) {
    const absl::Status before = Validate(job.spec);
    CheckSpeaksPlainly(before);
    FillDefaults(&job.spec);
    const absl::Status after = Validate(job.spec);
    CHECK_EQ(before.ok(), after.ok()) << before << after;
  }
}

}  // namespace hydra
