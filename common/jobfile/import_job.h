#ifndef HYDRA_COMMON_JOBFILE_IMPORT_JOB_H_
#define HYDRA_COMMON_JOBFILE_IMPORT_JOB_H_

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/jobfile/import_options.h"
#include "common/jobfile/imported_key.h"
#include "common/jobfile/job_yaml.h"
#include "common/jobfile/mistakes.h"

namespace hydra {

struct ImportedJob {
  // "LLaMA-Factory", ...
  absl::string_view tool;
  JobFields fields;
  // In the order of the file; what was assumed comes last.
  std::vector<ImportedKey> keys;
  // What is wrong with the job, or missing, before it can be submitted.
  Mistakes mistakes;
};

// Reads a configuration of LLaMA-Factory, Axolotl, TRL or transformers'
// trainer, YAML or JSON, as a job file. What a key means is what job_aliases.h
// says; which tool it is, and what that does where the file is silent,
// trainer_tool.h. Pure but for `options`'s functions.
//
// INVALID_ARGUMENT: `text` is not YAML, no map of keys, or has a key twice (all
//   of them are told), or it is a file of something else. With the line.
absl::StatusOr<ImportedJob> ImportJob(absl::string_view text,
                                      const ImportOptions& options);

}  // namespace hydra

#endif  // HYDRA_COMMON_JOBFILE_IMPORT_JOB_H_
