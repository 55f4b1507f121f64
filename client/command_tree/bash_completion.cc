#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "client/command_tree/completion.h"
#include "client/command_tree/value_kind.h"

namespace hydra {
namespace {

// The line is split at the characters of COMP_WORDBREAKS, so "--state=x" and
// "unix:/path" are three words each. A word that is the name of a verb is the
// verb, unless it is the value of an option that stands before it.
constexpr char kScript[] =
    R"sh(# Completion of PROGRAM for bash, made by `PROGRAM completion bash`.
_PROGRAM() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
  local verb="" word i
  if [[ $current == "=" ]]; then
    current=""
  elif [[ $previous == "=" ]]; then
    previous=${COMP_WORDS[COMP_CWORD-2]}
  fi
  for ((i = 1; i < COMP_CWORD; ++i)); do
    word=${COMP_WORDS[i]}
    case $word in
      GLOBALS) ((++i)) ;;
      VERBS) verb=$word; break ;;
    esac
  done
  case "$verb $previous" in
VALUES  esac
  case $verb in
WORDS  esac
}
_PROGRAM_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$current"); }
_PROGRAM_files() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen "$1" -- "$current")
}
# Words of a list are expanded, and these are a server's.
_PROGRAM_jobs() {
  local job
  COMPREPLY=()
  while read -r job; do
    if [[ $job == "$current"* ]]; then COMPREPLY+=("$job"); fi
  done < <("${COMP_WORDS[0]}" --timeout 2 list -o id 2>/dev/null)
}
complete -F _PROGRAM PROGRAM
)sh";

// What completes a value; empty: nothing does.
std::string CallFor(const std::string& program, const CommandOption& option) {
  switch (KindOf(option)) {
    case ValueKind::kChoice:
      return absl::StrCat("_", program, "_words \"",
                          absl::StrJoin(option.choices, " "), "\"");
    case ValueKind::kFile:
      return absl::StrCat("_", program, "_files -f");
    case ValueKind::kDirectory:
      return absl::StrCat("_", program, "_files -d");
    case ValueKind::kJob:
      return absl::StrCat("_", program, "_jobs");
    case ValueKind::kNothing:
      break;
  }
  return "";
}

void AddNames(const std::vector<CommandOption>& options,
              std::vector<std::string>& names) {
  for (const CommandOption& option : options) {
    names.insert(names.end(), option.names.begin(), option.names.end());
  }
}

// Of a verb and the word before; without a verb, of any.
std::string Pattern(const std::string& verb, const std::string& name) {
  if (verb.empty()) return absl::StrCat("*\" ", name, "\"");
  return absl::StrCat("\"", verb, " ", name, "\"");
}

// A branch for each option with a value: nothing but that may follow it.
std::string ValueBranches(const std::string& program, const std::string& verb,
                          const std::vector<CommandOption>& options) {
  std::string text;
  for (const CommandOption& option : options) {
    if (option.value.empty()) continue;
    std::vector<std::string> patterns;
    for (const std::string& name : option.names) {
      patterns.push_back(Pattern(verb, name));
    }
    const std::string call = CallFor(program, option);
    absl::StrAppend(&text, "    ", absl::StrJoin(patterns, "|"), ") ", call,
                    call.empty() ? "" : "; ", "return ;;\n");
  }
  return text;
}

// A branch for each verb: its options after a dash, else what its arguments
// are.
std::string WordBranch(const std::string& program, const CommandTree& tree,
                       const CommandVerb& verb) {
  std::vector<std::string> names;
  AddNames(verb.options, names);
  AddNames(OptionsWithValues(tree), names);
  std::string call;
  for (const CommandOption& argument : verb.arguments) {
    call = CallFor(program, argument);
    if (!call.empty()) break;
  }
  return absl::StrCat(
      "    ", verb.name, ")\n      if [[ $current == -* ]]; then _", program,
      "_words \"", absl::StrJoin(names, " "), "\"",
      call.empty() ? "" : absl::StrCat("; else ", call), "; fi ;;\n");
}

}  // namespace

std::string BashCompletion(const CommandTree& tree) {
  std::vector<std::string> verbs;
  for (const CommandVerb& verb : tree.verbs) verbs.push_back(verb.name);
  std::vector<std::string> globals;
  AddNames(OptionsWithValues(tree), globals);
  std::string values;
  std::string words;
  for (const CommandVerb& verb : tree.verbs) {
    absl::StrAppend(&values,
                    ValueBranches(tree.program, verb.name, verb.options));
    absl::StrAppend(&words, WordBranch(tree.program, tree, verb));
  }
  absl::StrAppend(&values, ValueBranches(tree.program, "", tree.options));
  std::vector<std::string> first = verbs;
  AddNames(tree.options, first);
  absl::StrAppend(&words, "    *) _", tree.program, "_words \"",
                  absl::StrJoin(first, " "), "\" ;;\n");
  return absl::StrReplaceAll(kScript, {{"GLOBALS", absl::StrJoin(globals, "|")},
                                       {"VERBS", absl::StrJoin(verbs, "|")},
                                       {"VALUES", values},
                                       {"WORDS  esac", words + "  esac"},
                                       {"PROGRAM", tree.program}});
}

}  // namespace hydra
