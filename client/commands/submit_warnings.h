#ifndef HYDRA_CLIENT_COMMANDS_SUBMIT_WARNINGS_H_
#define HYDRA_CLIENT_COMMANDS_SUBMIT_WARNINGS_H_

#include "client/cli_context.h"
#include "hydra/v1/hydra.pb.h"

namespace hydra {

// Says on standard error what of a submission's input is not used, or not as it
// is written.
void PrintWarnings(const CliContext& context,
                   const v1::SubmitResponse& response);

}  // namespace hydra

#endif  // HYDRA_CLIENT_COMMANDS_SUBMIT_WARNINGS_H_
