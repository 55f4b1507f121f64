#ifndef HYDRA_COMMON_JOBFILE_IMPORT_ADAPTERS_H_
#define HYDRA_COMMON_JOBFILE_IMPORT_ADAPTERS_H_

#include "absl/strings/string_view.h"
#include "common/jobfile/import_ledger.h"
#include "common/jobfile/yaml_tree.h"

// What other tools say of adapters.
namespace hydra {

// Whether a key is about adapters, of whatever kind.
bool IsOfAdapters(absl::string_view key);

// Names of modules, in a list, or with commas between them, or a switch for all
// of them; what else PEFT takes is refused.
void TakeModules(const ImportLedger::Key& key, const YamlNode& node,
                 ImportLedger* ledger);

// An alpha of twice the rank, where there is one, as LLaMA-Factory has it.
void AssumeAlpha(ImportLedger* ledger);

}  // namespace hydra

#endif  // HYDRA_COMMON_JOBFILE_IMPORT_ADAPTERS_H_
