#include "client/command_tree/completion.h"

#include <memory>
#include <string>

#include "client/command_tree/command_tree.h"
#include "client/command_tree/man_page.h"
#include "client/commands/commands.h"
#include "client/commands/verb.h"
#include "common/version/version.h"

namespace hydra {
namespace {

struct CompletionOptions {
  // Its place among the words below.
  int shell = 0;
  std::string program = "hydra";
};

constexpr char kProgramHelp[] =
    "The name under which it is called (default hydra)";

CommandTree TreeOf(const CLI::App& app, const CompletionOptions& options) {
  CommandTree tree = DescribeCommands(app);
  tree.program = options.program;
  return tree;
}

absl::StatusOr<ExitCode> Completion(const CliContext& context,
                                    const CLI::App& app,
                                    const CompletionOptions& options) {
  using MakeScript = std::string (*)(const CommandTree& tree);
  static constexpr MakeScript kShells[] = {&BashCompletion, &ZshCompletion,
                                           &FishCompletion};
  *context.out << kShells[options.shell](TreeOf(app, options));
  return ExitCode::kOk;
}

}  // namespace

void AddCompletion(CLI::App* app, Invocation* invocation) {
  const auto options = std::make_shared<CompletionOptions>();
  Verb verb(app, "completion",
            "Write what makes a shell complete this command line",
            "hydra completion bash "
            ">~/.local/share/bash-completion/completions/hydra",
            invocation, [app, options](const CliContext& context) {
              return Completion(context, *app, *options);
            });
  verb.WordArgument("SHELL", {"bash", "zsh", "fish"}, &options->shell,
                    "The shell: bash, zsh or fish")
      .Option("--program", "NAME", &options->program, kProgramHelp);
}

void AddMan(CLI::App* app, Invocation* invocation) {
  const auto options = std::make_shared<CompletionOptions>();
  Verb verb(app, "man", "Write the manual's page", "hydra man | man -l -",
            invocation, [app, options](const CliContext& context) {
              *context.out << ManPage(TreeOf(*app, *options), kVersion);
              return ExitCode::kOk;
            });
  verb.Option("--program", "NAME", &options->program, kProgramHelp).Hidden();
}

}  // namespace hydra
