#ifndef HYDRA_COMMON_FAILPOINT_FAIL_POINT_H_
#define HYDRA_COMMON_FAILPOINT_FAIL_POINT_H_

#include <cstdint>

namespace hydra {

// Marks a place where a test can make this process fail. Does nothing, at the
// cost of one load, unless HYDRA_FAIL_POINTS in the environment names it when
// the first place is passed; fail_point_rules.h says how that is written. A
// text that cannot be read ends the process. `job`: the number of the job that
// is worked on, 0: none. Thread-safe.
void FailPoint(const char* name, uint64_t job = 0);

}  // namespace hydra

#endif  // HYDRA_COMMON_FAILPOINT_FAIL_POINT_H_
