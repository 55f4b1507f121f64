#include "client/commands/verb.h"

#include <functional>
#include <limits>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/jobfile/suggest.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

// Empty: it is one of the words, in upper case too. Else why not.
std::string WhyNoneOf(const std::vector<std::string>& words,
                      const std::string& found) {
  const std::string word = absl::AsciiStrToLower(found);
  if (absl::c_linear_search(words, word)) return "";
  const std::string meant = SuggestWord(word, words, {});
  return absl::StrCat(
      "expected one of ", absl::StrJoin(words, ", "), ", found ", Quoted(found),
      meant.empty() ? "" : absl::StrCat("; did you mean ", Quoted(meant), "?"));
}

std::string WhyNotWithin(int least, int most, const std::string& found) {
  int number;
  if (absl::SimpleAtoi(found, &number) && least <= number && number <= most) {
    return "";
  }
  const std::string range = most == std::numeric_limits<int>::max()
                                ? absl::StrCat(least, " or more")
                                : absl::StrCat("from ", least, " to ", most);
  return absl::StrCat("expected a whole number, ", range, ", found ",
                      Quoted(found));
}

// Hands on the place of each value among `words`.
CLI::Option* AddWords(CLI::App* verb, const std::string& names,
                      const std::vector<std::string>& words,
                      std::function<void(int place)> take,
                      const std::string& help) {
  CLI::Option* option = verb->add_option_function<std::vector<std::string>>(
      names,
      [words, take = std::move(take)](const std::vector<std::string>& found) {
        for (const std::string& word : found) {
          take(absl::c_find(words, absl::AsciiStrToLower(word)) -
               words.begin());
        }
      },
      help);
  return option
      ->check(
          [words](const std::string& found) { return WhyNoneOf(words, found); })
      ->option_text(absl::StrJoin(words, "|"));
}

}  // namespace

Verb::Verb(CLI::App* app, const std::string& name,
           const std::string& description, const std::string& example,
           Invocation* invocation, Action action)
    : verb_(app->add_subcommand(name, description)) {
  verb_->fallthrough();
  verb_->footer(absl::StrCat(
      "--server and --timeout: see hydra --help.\nExample:\n  ", example));
  verb_->callback([invocation, action = std::move(action)] {
    invocation->action = action;
  });
}

Verb& Verb::Argument(const std::string& name, std::string* value,
                     const std::string& help) {
  verb_->add_option(name, *value, help)->required();
  return *this;
}

Verb& Verb::Arguments(const std::string& name, std::vector<std::string>* values,
                      const std::string& help) {
  verb_->add_option(name, *values, help)->required();
  return *this;
}

Verb& Verb::OptionalArgument(const std::string& name,
                             std::optional<std::string>* value,
                             const std::string& help) {
  verb_->add_option(name, *value, help);
  return *this;
}

Verb& Verb::WordArgument(const std::string& name,
                         const std::vector<std::string>& words, int* place,
                         const std::string& help) {
  AddWords(
      verb_, name, words, [place](int found) { *place = found; }, help)
      ->required()
      ->expected(1);
  return *this;
}

Verb& Verb::Option(const std::string& names, const std::string& shown,
                   std::string* value, const std::string& help) {
  verb_->add_option(names, *value, help)->option_text(shown);
  return *this;
}

Verb& Verb::Option(const std::string& names, const std::string& shown,
                   std::optional<std::string>* value, const std::string& help) {
  verb_->add_option(names, *value, help)->option_text(shown);
  return *this;
}

Verb& Verb::Option(const std::string& names, const std::string& shown,
                   int least, int most, int* value, const std::string& help) {
  verb_->add_option(names, *value, help)
      ->option_text(shown)
      ->check([least, most](const std::string& found) {
        return WhyNotWithin(least, most, found);
      });
  return *this;
}

Verb& Verb::ListOption(const std::string& names, const std::string& shown,
                       std::vector<std::string>* values,
                       const std::string& help) {
  verb_->add_option(names, *values, help)->delimiter(',')->option_text(shown);
  return *this;
}

Verb& Verb::RepeatedOption(const std::string& names, const std::string& shown,
                           std::vector<std::string>* values,
                           const std::string& help) {
  verb_->add_option(names, *values, help)
      ->allow_extra_args(false)
      ->option_text(shown);
  return *this;
}

Verb& Verb::WordsOption(const std::string& names,
                        const std::vector<std::string>& words,
                        std::vector<int>* values, const std::string& help) {
  AddWords(
      verb_, names, words, [values](int place) { values->push_back(place); },
      help);
  return *this;
}

Verb& Verb::WordOption(const std::string& names,
                       const std::vector<std::string>& words, int* value,
                       const std::string& help) {
  AddWords(
      verb_, names, words, [value](int place) { *value = place; }, help)
      ->expected(1);
  return *this;
}

Verb& Verb::Flag(const std::string& names, bool* value,
                 const std::string& help) {
  verb_->add_flag(names, *value, help);
  return *this;
}

Verb& Verb::FlagWithout(const std::string& other, const std::string& names,
                        bool* value, const std::string& help) {
  verb_->add_flag(names, *value, help)->excludes(verb_->get_option(other));
  return *this;
}

Verb& Verb::OutputOption(OutputFormat* format, bool has_ids) {
  std::vector<std::string> names = {"table", "json"};
  if (has_ids) names.push_back("id");
  AddWords(
      verb_, "-o,--output", names,
      [format](int place) { *format = static_cast<OutputFormat>(place); },
      "How to write the result")
      ->expected(1);
  return *this;
}

Verb& Verb::Hidden() {
  verb_->group("");
  return *this;
}

}  // namespace hydra
