#include "client/commands/command.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/jobfile/mistakes.h"
#include "common/jobfile/suggest.h"
#include "common/text/printable.h"

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

CLI::Validator OneOf(std::vector<std::string> words) {
  const auto check = [words = std::move(words)](const std::string& found) {
    const std::string word = absl::AsciiStrToLower(found);
    if (absl::c_linear_search(words, word)) return std::string();
    const std::string meant = SuggestWord(word, words, {});
    return absl::StrCat(
        "expected one of ", absl::StrJoin(words, ", "), ", found ",
        Quoted(found),
        meant.empty() ? ""
                      : absl::StrCat("; did you mean ", Quoted(meant), "?"));
  };
  return CLI::Validator(check, "");
}

void AddOutputOption(CLI::App* verb, OutputFormat* format, bool has_ids) {
  std::vector<std::string> names = {"table", "json"};
  if (has_ids) names.push_back("id");
  verb->add_option_function<std::string>(
          "-o,--output",
          [format, names](const std::string& name) {
            const auto found = absl::c_find(names, absl::AsciiStrToLower(name));
            *format = static_cast<OutputFormat>(found - names.begin());
          },
          "How to write the result")
      ->check(OneOf(names))
      ->option_text(absl::StrJoin(names, "|"));
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
