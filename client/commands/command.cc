#include "client/commands/command.h"

#include <filesystem>
#include <system_error>

#include "client/connection/address.h"

namespace hydra {

absl::Duration AnswerTimeout(const Invocation& invocation) {
  return absl::Seconds(invocation.timeout_seconds.value_or(60));
}

absl::StatusOr<std::string> ServerAddress(const CliContext& context,
                                          const Invocation& invocation) {
  return ResolveServer(invocation.server, context.getenv,
                       [](const std::string& path) {
                         std::error_code ignored;
                         return std::filesystem::is_socket(path, ignored);
                       });
}

absl::StatusOr<std::unique_ptr<Connection>> Connect(
    const CliContext& context, const Invocation& invocation) {
  const absl::StatusOr<std::string> address =
      ServerAddress(context, invocation);
  if (!address.ok()) return address.status();
  return std::make_unique<Connection>(*address, AnswerTimeout(invocation));
}

int OutWidth(const CliContext& context) {
  return context.out_terminal.present ? context.out_terminal.size().width : 0;
}

}  // namespace hydra
