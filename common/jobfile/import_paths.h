#ifndef HYDRA_COMMON_JOBFILE_IMPORT_PATHS_H_
#define HYDRA_COMMON_JOBFILE_IMPORT_PATHS_H_

#include <string>

#include "common/jobfile/import_options.h"

// Paths of another tool's file. Pure but for `options`'s functions.
namespace hydra {

// A clause on what to do about a value that is no path on this machine; empty
// for one that is. `may_be_model`: where a model's name on a hub may stand.
std::string WhyNoPath(const std::string& text, bool may_be_model,
                      const ImportOptions& options);

// `text` as it is to stand in the job file.
std::string WrittenPath(const std::string& text, const ImportOptions& options);

}  // namespace hydra

#endif  // HYDRA_COMMON_JOBFILE_IMPORT_PATHS_H_
