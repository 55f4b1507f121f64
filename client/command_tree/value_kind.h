#ifndef HYDRA_CLIENT_COMMAND_TREE_VALUE_KIND_H_
#define HYDRA_CLIENT_COMMAND_TREE_VALUE_KIND_H_

#include "client/command_tree/command_tree.h"

namespace hydra {

// What a shell can offer for a value.
enum class ValueKind { kNothing, kChoice, kFile, kDirectory, kJob };

// By what stands for the value in the help: FILE, PATH and JOB.yaml are files,
// DIR is a directory, and JOB, also beside others, is a job's id.
ValueKind KindOf(const CommandOption& option);

}  // namespace hydra

#endif  // HYDRA_CLIENT_COMMAND_TREE_VALUE_KIND_H_
