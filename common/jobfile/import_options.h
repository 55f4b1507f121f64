#ifndef HYDRA_COMMON_JOBFILE_IMPORT_OPTIONS_H_
#define HYDRA_COMMON_JOBFILE_IMPORT_OPTIONS_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"

namespace hydra {

// What reading another tool's file (import_job.h) knows of this machine.
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

}  // namespace hydra

#endif  // HYDRA_COMMON_JOBFILE_IMPORT_OPTIONS_H_
