#include "client/commands/command.h"

#include <filesystem>
#include <map>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"

namespace hydra {

CLI::App* AddVerb(CLI::App* app, const std::string& name,
                  const std::string& description, const std::string& example,
                  Invocation* invocation, Action action) {
  CLI::App* verb = app->add_subcommand(name, description);
  verb->fallthrough();
  verb->footer(absl::StrCat(
      "--server and --timeout: see hydra --help.\nExample:\n  ", example));
  verb->callback([invocation, action = std::move(action)] {
    invocation->action = action;
  });
  return verb;
}

void AddOutputOption(CLI::App* verb, OutputFormat* format, bool has_ids) {
  std::map<std::string, OutputFormat> formats = {
      {"table", OutputFormat::kTable}, {"json", OutputFormat::kJson}};
  if (has_ids) formats["id"] = OutputFormat::kId;
  verb->add_option("-o,--output", *format, "How to write the result")
      ->transform(CLI::CheckedTransformer(std::move(formats)))
      ->option_text(has_ids ? "table|json|id" : "table|json");
}

absl::StatusOr<std::unique_ptr<Connection>> Connect(
    const CliContext& context, const Invocation& invocation) {
  const absl::StatusOr<std::string> address = ResolveServer(
      invocation.server, context.getenv, [](const std::string& path) {
        std::error_code ignored;
        return std::filesystem::is_socket(path, ignored);
      });
  if (!address.ok()) return address.status();
  return std::make_unique<Connection>(
      *address, absl::Seconds(invocation.timeout_seconds));
}

int OutWidth(const CliContext& context) {
  return context.out_terminal.present ? context.out_terminal.size().width : 0;
}

}  // namespace hydra
