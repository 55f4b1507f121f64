#ifndef HYDRA_CLIENT_OUTPUT_H_
#define HYDRA_CLIENT_OUTPUT_H_

#include "absl/status/status.h"
#include "client/cli_context.h"

namespace hydra {

// Writes out what is buffered of the results.
//
// FAILED_PRECONDITION: nobody takes it, since the disk is full or the reader
//   has left. All that follows would be in vain.
absl::Status FlushOutput(const CliContext& context);

}  // namespace hydra

#endif  // HYDRA_CLIENT_OUTPUT_H_
