#ifndef HYDRA_CLIENT_COMMAND_TREE_COMMAND_TREE_H_
#define HYDRA_CLIENT_COMMAND_TREE_COMMAND_TREE_H_

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace hydra {

// An option of a command, or, without names, an argument by its place.
struct CommandOption {
  // "-o", "--output"; short ones first.
  std::vector<std::string> names;
  // Stands for its value: "SIZE". Empty: it takes none.
  std::string value;
  // The values, where these are a list of words.
  std::vector<std::string> choices;
  std::string help;
  bool is_required = false;
  bool may_repeat = false;
};

struct CommandVerb {
  std::string name;
  std::string description;
  // Stands at the end of its help.
  std::string footer;
  std::vector<CommandOption> options;
  // In their order.
  std::vector<CommandOption> arguments;
};

// The command line as it is parsed, as data: for what is made from it, such as
// completions and the manual, which therefore cannot be out of date.
struct CommandTree {
  std::string program;
  std::string description;
  std::string footer;
  // For every verb.
  std::vector<CommandOption> options;
  // Without hidden ones.
  std::vector<CommandVerb> verbs;
};

CommandTree DescribeCommands(const CLI::App& app);

// Those for every verb but help and version, which are verbs' own or make no
// sense there.
std::vector<CommandOption> OptionsWithValues(const CommandTree& tree);

}  // namespace hydra

#endif  // HYDRA_CLIENT_COMMAND_TREE_COMMAND_TREE_H_
