#ifndef HYDRA_CLIENT_COMMAND_TREE_COMPLETION_H_
#define HYDRA_CLIENT_COMMAND_TREE_COMPLETION_H_

#include <string>

#include "client/command_tree/command_tree.h"

namespace hydra {

// Scripts that tell a shell how the command line of `tree` goes on: verbs,
// options, words of lists, files, and, by asking the server, ids of jobs. Pure.
std::string BashCompletion(const CommandTree& tree);
std::string ZshCompletion(const CommandTree& tree);
std::string FishCompletion(const CommandTree& tree);

}  // namespace hydra

#endif  // HYDRA_CLIENT_COMMAND_TREE_COMPLETION_H_
