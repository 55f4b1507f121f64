#ifndef HYDRA_CLIENT_COMMANDS_SUBMIT_WARNINGS_H_
#define HYDRA_CLIENT_COMMANDS_SUBMIT_WARNINGS_H_

#include <string>

#include "client/cli_context.h"
#include "google/protobuf/repeated_ptr_field.h"

namespace hydra {

// Says on standard error what of a job file's input is not used, or not as it
// is written.
void PrintWarnings(
    const CliContext& context,
    const google::protobuf::RepeatedPtrField<std::string>& warnings);

}  // namespace hydra

#endif  // HYDRA_CLIENT_COMMANDS_SUBMIT_WARNINGS_H_
