#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "client/command_tree/completion.h"
#include "client/command_tree/value_kind.h"

namespace hydra {
namespace {

std::string Quote(const std::string& text) {
  return absl::StrCat(
      "'", absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"'", "\\'"}}), "'");
}

// What completes a value, as the end of a line; -x: files do not.
std::string ValueText(const std::string& program, const CommandOption& option) {
  switch (KindOf(option)) {
    case ValueKind::kChoice:
      return absl::StrCat(" -x -a ", Quote(absl::StrJoin(option.choices, " ")));
    case ValueKind::kFile:
      return " -r -F";
    case ValueKind::kDirectory:
      return " -x -a '(__fish_complete_directories)'";
    case ValueKind::kJob:
      return absl::StrCat(" -x -a '(", program,
                          " --timeout 2 list -o id 2>/dev/null)'");
    case ValueKind::kNothing:
      break;
  }
  return " -x";
}

std::string OptionLine(const std::string& begin, const std::string& program,
                       const CommandOption& option) {
  std::string line = begin;
  for (const std::string& name : option.names) {
    if (absl::StartsWith(name, "--")) {
      absl::StrAppend(&line, " -l ", name.substr(2));
    } else {
      absl::StrAppend(&line, " -s ", name.substr(1));
    }
  }
  if (!option.value.empty()) {
    absl::StrAppend(&line, ValueText(program, option));
  }
  return absl::StrCat(line, " -d ", Quote(option.help), "\n");
}

}  // namespace

std::string FishCompletion(const CommandTree& tree) {
  const std::string complete = absl::StrCat("complete -c ", tree.program);
  std::string text =
      absl::StrCat("# Completion of ", tree.program, " for fish, made by `",
                   tree.program, " completion fish`.\n", complete, " -f\n");
  for (const CommandOption& option : tree.options) {
    absl::StrAppend(&text, OptionLine(complete, tree.program, option));
  }
  for (const CommandVerb& verb : tree.verbs) {
    absl::StrAppend(&text, complete, " -n __fish_use_subcommand -a ", verb.name,
                    " -d ", Quote(verb.description), "\n");
    const std::string after = absl::StrCat(
        complete, " -n '__fish_seen_subcommand_from ", verb.name, "'");
    for (const CommandOption& option : verb.options) {
      absl::StrAppend(&text, OptionLine(after, tree.program, option));
    }
    for (const CommandOption& argument : verb.arguments) {
      if (KindOf(argument) == ValueKind::kNothing) continue;
      absl::StrAppend(&text, after, ValueText(tree.program, argument), "\n");
    }
  }
  return text;
}

}  // namespace hydra
