#ifndef HYDRA_COMMON_JOBFILE_IMPORT_JOB_H_
#define HYDRA_COMMON_JOBFILE_IMPORT_JOB_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/jobfile/job_yaml.h"
#include "common/jobfile/mistakes.h"

namespace hydra {

// What became of one key of another tool's file.
struct ImportedKey {
  enum class Fate {
    // A key of the job file says it.
    kTaken,
    // The file is silent, and the tool does what is not Hydra's default.
    kAssumed,
    // It is not in the job file, and the trained model is the same.
    kLeftOut,
    // The job file trains another model than the tool does, or cannot be
    // submitted before something is done.
    kLost,
  };
  Fate fate;
  // Of the key in the file; 0: it is not there.
  int line = 0;
  // "datasets.path" where it stands in a section or a list of them.
  std::string key;
  // The field of the job file that it is about; empty: there is none.
  std::string field;
  // The value, and what there is to say of it.
  std::string what;
};

struct ImportedJob {
  // "LLaMA-Factory", ...
  absl::string_view tool;
  JobFields fields;
  // In the order of the file; what was assumed comes last.
  std::vector<ImportedKey> keys;
  // What is wrong with the job, or missing, before it can be submitted.
  Mistakes mistakes;
};

struct ImportOptions {
  // The absolute path of the directory from which relative paths of the read
  // file count.
  std::string base_dir;
  // The job file will lie there: relative paths may stay as they are.
  bool keep_relative = false;
  // Whether there is a file or directory of this absolute path. What there is
  // is no model of a hub.
  std::function<bool(const std::string& path)> exists;
  // The text of the file of this absolute path, for LLaMA-Factory's index of
  // data sets.
  std::function<absl::StatusOr<std::string>(const std::string& path)> read;
};

// Reads a configuration of LLaMA-Factory, Axolotl, TRL or transformers'
// trainer, YAML or JSON, as a job file. What a key means is what job_aliases.h
// says; which tool it is, and what that does where the file is silent,
// trainer_tool.h. Pure but for `options`'s
// functions.
//
// INVALID_ARGUMENT: `text` is not YAML, no map of keys, or has a key twice (all
//   of them are told), or it is a file of something else. With the line.
absl::StatusOr<ImportedJob> ImportJob(absl::string_view text,
                                      const ImportOptions& options);

}  // namespace hydra

#endif  // HYDRA_COMMON_JOBFILE_IMPORT_JOB_H_
