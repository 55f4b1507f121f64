#ifndef HYDRA_CLIENT_COMMANDS_PRINT_REPLY_H_
#define HYDRA_CLIENT_COMMANDS_PRINT_REPLY_H_

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "client/cli_context.h"
#include "client/commands/command.h"
#include "google/protobuf/message.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "hydra/v1/status.pb.h"

namespace hydra {

// Writes a reply to `context.out` in the format that was asked for: the text
// that `table` makes for people, all of the reply as JSON, or a line for each
// of its `ids`.
void PrintReply(const CliContext& context, OutputFormat format,
                const google::protobuf::Message& reply,
                absl::FunctionRef<std::string()> table,
                absl::FunctionRef<std::vector<std::string>()> ids);

std::vector<std::string> IdsOf(
    const google::protobuf::RepeatedPtrField<v1::JobStatus>& jobs);

}  // namespace hydra

#endif  // HYDRA_CLIENT_COMMANDS_PRINT_REPLY_H_
