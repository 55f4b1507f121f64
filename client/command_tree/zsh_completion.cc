#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "client/command_tree/completion.h"
#include "client/command_tree/value_kind.h"

namespace hydra {
namespace {

constexpr char kScript[] = R"sh(#compdef PROGRAM
# Completion of PROGRAM for zsh, made by `PROGRAM completion zsh`.
_PROGRAM_jobs() {
  local -a jobs
  jobs=(${(f)"$(PROGRAM --timeout 2 list -o id 2>/dev/null)"})
  compadd -a jobs
}
_PROGRAM() {
  local context state state_descr line
  typeset -A opt_args
  _arguments -C \
GLOBALS    '1:command:->command' \
    '*::argument:->argument'
  case $state in
    command)
      local -a commands
      commands=(
VERBS      )
      _describe command commands
      ;;
    argument)
      case $words[1] in
BRANCHES      esac
      ;;
  esac
}
if [[ $funcstack[1] == _PROGRAM ]]; then
  _PROGRAM "$@"
else
  compdef _PROGRAM PROGRAM
fi
)sh";

// Within single quotes, where `[`, `]` and `:` mean something to _arguments.
std::string Escaped(const std::string& text) {
  return absl::StrReplaceAll(text, {{"\\", "\\\\"},
                                    {"'", "'\\''"},
                                    {":", "\\:"},
                                    {"[", "\\["},
                                    {"]", "\\]"}});
}

// What completes a value.
std::string ActionFor(const std::string& program, const CommandOption& option) {
  switch (KindOf(option)) {
    case ValueKind::kChoice:
      return absl::StrCat("(", absl::StrJoin(option.choices, " "), ")");
    case ValueKind::kFile:
      return "_files";
    case ValueKind::kDirectory:
      return "_files -/";
    case ValueKind::kJob:
      return absl::StrCat("_", program, "_jobs");
    case ValueKind::kNothing:
      break;
  }
  return " ";
}

// A line for each name of an option; all of one exclude each other.
std::vector<std::string> Specs(const std::string& program,
                               const std::vector<CommandOption>& options) {
  std::vector<std::string> specs;
  for (const CommandOption& option : options) {
    const std::string excluded =
        option.may_repeat
            ? "*"
            : absl::StrCat("(", absl::StrJoin(option.names, " "), ")");
    const std::string value =
        option.value.empty() ? ""
                             : absl::StrCat(":", Escaped(option.value), ":",
                                            ActionFor(program, option));
    for (const std::string& name : option.names) {
      specs.push_back(absl::StrCat("'", excluded, name, "[",
                                   Escaped(option.help), "]", value, "'"));
    }
  }
  return specs;
}

std::string Branch(const CommandTree& tree, const CommandVerb& verb) {
  std::vector<CommandOption> options = verb.options;
  const auto for_all = OptionsWithValues(tree);
  options.insert(options.end(), for_all.begin(), for_all.end());
  std::vector<std::string> specs = Specs(tree.program, options);
  for (size_t i = 0; i < verb.arguments.size(); ++i) {
    const CommandOption& argument = verb.arguments[i];
    specs.push_back(absl::StrCat(
        "'", argument.may_repeat ? "*" : absl::StrCat(i + 1), ":",
        Escaped(argument.value), ":", ActionFor(tree.program, argument), "'"));
  }
  return absl::StrCat("        ", verb.name, ") _arguments ",
                      absl::StrJoin(specs, " \\\n          "), " ;;\n");
}

}  // namespace

std::string ZshCompletion(const CommandTree& tree) {
  std::string globals;
  for (const std::string& spec : Specs(tree.program, tree.options)) {
    absl::StrAppend(&globals, "    ", spec, " \\\n");
  }
  std::string verbs;
  std::string branches;
  for (const CommandVerb& verb : tree.verbs) {
    absl::StrAppend(&verbs, "        '", verb.name, ":",
                    absl::StrReplaceAll(verb.description, {{"'", "'\\''"}}),
                    "'\n");
    absl::StrAppend(&branches, Branch(tree, verb));
  }
  return absl::StrReplaceAll(kScript, {{"GLOBALS", globals},
                                       {"VERBS", verbs},
                                       {"BRANCHES", branches},
                                       {"PROGRAM", tree.program}});
}

}  // namespace hydra
