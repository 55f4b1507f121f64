#ifndef HYDRA_TESTS_FUZZ_FUZZ_CHECK_H_
#define HYDRA_TESTS_FUZZ_FUZZ_CHECK_H_

#include "absl/status/status.h"

namespace hydra {

// Ends the process if `status` is an error that nobody should get for a bad
// input: without a message, of more than 64 KiB, not UTF-8 (protobuf would
// refuse it on the way to the user), or of our own making (INTERNAL, UNKNOWN).
void CheckSpeaksPlainly(const absl::Status& status);

}  // namespace hydra

#endif  // HYDRA_TESTS_FUZZ_FUZZ_CHECK_H_
