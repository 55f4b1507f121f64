#include "client/command_tree/command_tree.h"

#include "CLI/CLI.hpp"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace hydra {
namespace {

// "table|json": what stands for a value in lower case is the list of all values
// (Verb::WordsOption).
std::vector<std::string> ChoicesOf(absl::string_view value) {
  for (const char c : value) {
    if (!absl::ascii_islower(c) && c != '|') return {};
  }
  return absl::StrSplit(value, '|', absl::SkipEmpty());
}

CommandOption DescribeOption(const CLI::Option& option) {
  CommandOption described;
  for (const std::string& name : option.get_snames()) {
    described.names.push_back(absl::StrCat("-", name));
  }
  for (const std::string& name : option.get_lnames()) {
    described.names.push_back(absl::StrCat("--", name));
  }
  if (option.get_items_expected_max() > 0) {
    described.value = option.get_option_text();
    described.choices = ChoicesOf(described.value);
    // An argument is called by its name.
    if (described.names.empty()) {
      described.value = option.get_name(/*positional=*/true);
    }
  }
  described.help = option.get_description();
  described.is_required = option.get_required();
  described.may_repeat = option.get_items_expected_max() > 1;
  return described;
}

}  // namespace

CommandTree DescribeCommands(const CLI::App& app) {
  CommandTree tree;
  tree.program = app.get_name();
  tree.description = app.get_description();
  tree.footer = app.get_footer();
  for (const CLI::Option* option : app.get_options()) {
    tree.options.push_back(DescribeOption(*option));
  }
  for (const CLI::App* verb : app.get_subcommands(nullptr)) {
    if (verb->get_group().empty()) continue;
    CommandVerb& described = tree.verbs.emplace_back();
    described.name = verb->get_name();
    described.description = verb->get_description();
    described.footer = verb->get_footer();
    for (const CLI::Option* option : verb->get_options()) {
      (option->get_positional() ? described.arguments : described.options)
          .push_back(DescribeOption(*option));
    }
  }
  return tree;
}

std::vector<CommandOption> OptionsWithValues(const CommandTree& tree) {
  std::vector<CommandOption> options;
  for (const CommandOption& option : tree.options) {
    if (!option.value.empty()) options.push_back(option);
  }
  return options;
}

}  // namespace hydra
