#ifndef HYDRA_CLIENT_COMMANDS_VERB_H_
#define HYDRA_CLIENT_COMMANDS_VERB_H_

#include <optional>
#include <string>
#include <vector>

#include "client/commands/command.h"

namespace CLI {
class App;
}

namespace hydra {

// A verb of the command line being described: what may be written after it, and
// where that goes. CLI11 reads the line; its header takes the compiler as long
// as all else of a command, so only this unit, cli.cc and command_tree.cc know
// of it.
//
// In `names`, "JOB" is a word by its place, "-f,--follow" an option. `shown`
// stands for an option's value in the help. What is pointed to outlives the
// parser, and is written when the line has been read.
class Verb {
 public:
  // Adds the verb `name` to `app`, with `example` at the end of its help. When
  // it is chosen, `action` becomes the invocation's.
  Verb(CLI::App* app, const std::string& name, const std::string& description,
       const std::string& example, Invocation* invocation, Action action);

  // Must be there; of the second, one or more.
  Verb& Argument(const std::string& name, std::string* value,
                 const std::string& help);
  Verb& Arguments(const std::string& name, std::vector<std::string>* values,
                  const std::string& help);
  Verb& OptionalArgument(const std::string& name,
                         std::optional<std::string>* value,
                         const std::string& help);

  // One of `words`, in upper case too; `place` is its place there.
  Verb& WordArgument(const std::string& name,
                     const std::vector<std::string>& words, int* place,
                     const std::string& help);

  Verb& Option(const std::string& names, const std::string& shown,
               std::string* value, const std::string& help);
  Verb& Option(const std::string& names, const std::string& shown,
               std::optional<std::string>* value, const std::string& help);
  // A number from `least` to `most`.
  Verb& Option(const std::string& names, const std::string& shown, int least,
               int most, int* value, const std::string& help);
  // Words with commas between them.
  Verb& ListOption(const std::string& names, const std::string& shown,
                   std::vector<std::string>* values, const std::string& help);
  // May be given more than once, each time with one value.
  Verb& RepeatedOption(const std::string& names, const std::string& shown,
                       std::vector<std::string>* values,
                       const std::string& help);
  // May be given more than once; each is one of `words`, in upper case too, and
  // `values` are their places there.
  Verb& WordsOption(const std::string& names,
                    const std::vector<std::string>& words,
                    std::vector<int>* values, const std::string& help);

  // At most once; `value` is the word's place.
  Verb& WordOption(const std::string& names,
                   const std::vector<std::string>& words, int* value,
                   const std::string& help);

  Verb& Flag(const std::string& names, bool* value, const std::string& help);
  // One that cannot be given together with `other`, which is described already.
  Verb& FlagWithout(const std::string& other, const std::string& names,
                    bool* value, const std::string& help);

  // -o. Verbs without ids have no kId.
  Verb& OutputOption(OutputFormat* format, bool has_ids = true);

  // It is not among the commands that the help lists.
  Verb& Hidden();

 private:
  CLI::App* const verb_;
};

}  // namespace hydra

#endif  // HYDRA_CLIENT_COMMANDS_VERB_H_
