#ifndef HYDRA_TESTS_FUZZ_VALIDATE_JOBS_H_
#define HYDRA_TESTS_FUZZ_VALIDATE_JOBS_H_

#include "absl/types/span.h"
#include "hydra/v1/job.pb.h"

namespace hydra {

// What the daemon does with a submission before it looks at the disk. Ends the
// process if filling in the defaults makes a wrong job of a right one, or if an
// error does not speak plainly (fuzz_check.h).
void ExpandAndValidate(const v1::JobSpec& base,
                       absl::Span<const v1::GridAxis> grid);

}  // namespace hydra

#endif  // HYDRA_TESTS_FUZZ_VALIDATE_JOBS_H_
