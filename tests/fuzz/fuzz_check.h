#ifndef HYDRA_TESTS_FUZZ_FUZZ_CHECK_H_
#define HYDRA_TESTS_FUZZ_FUZZ_CHECK_H_

#include "absl/status/status.h"

namespace hydra {

// Both end the process if `status` is an error that no input should lead to:
// without a message, of more than 64 KiB, or of our own making (INTERNAL,
// UNKNOWN).

void CheckBlamesTheInput(const absl::Status& status);

// Also if the message is not UTF-8: protobuf would refuse it on the way to the
// user.
void CheckSpeaksPlainly(const absl::Status& status);

}  // namespace hydra

#endif  // HYDRA_TESTS_FUZZ_FUZZ_CHECK_H_
