#ifndef HYDRA_SCHEDULER_STORAGE_MODEL_CONTENTS_H_
#define HYDRA_SCHEDULER_STORAGE_MODEL_CONTENTS_H_

#include <string>
#include <vector>

#include "common/checkpoint/model_files.h"
#include "common/pool/pool_file.h"
#include "scheduler/core/actions.h"

namespace hydra {

// What the files of `model` are made of: its blocks in the pool, the files of
// its layers' code, if they are code, and the tokenizer's files, from below
// `read_roots`; none of them: from everywhere.
ModelContents ContentsOf(const ModelToWrite& model, const PoolFile& pool,
                         const std::vector<std::string>& read_roots);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_STORAGE_MODEL_CONTENTS_H_
