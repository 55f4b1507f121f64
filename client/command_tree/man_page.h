#ifndef HYDRA_CLIENT_COMMAND_TREE_MAN_PAGE_H_
#define HYDRA_CLIENT_COMMAND_TREE_MAN_PAGE_H_

#include <string>

#include "absl/strings/string_view.h"
#include "client/command_tree/command_tree.h"

namespace hydra {

// The manual's page of the program, in section 1, as man(7) has it. `version`
// is shown at the page's foot. Pure.
std::string ManPage(const CommandTree& tree, absl::string_view version);

}  // namespace hydra

#endif  // HYDRA_CLIENT_COMMAND_TREE_MAN_PAGE_H_
