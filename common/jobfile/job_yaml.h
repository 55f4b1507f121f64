#ifndef HYDRA_COMMON_JOBFILE_JOB_YAML_H_
#define HYDRA_COMMON_JOBFILE_JOB_YAML_H_

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace hydra {

// Fields of a job file by their paths, such as "train.learning_rate", each with
// its value as it is written, or with a list's values.
using JobFields = std::map<std::string, std::vector<std::string>, std::less<>>;

// The job file with just these fields, in the order of docs/job-file.md.
// ReadJobFile() finds the same values in it, whatever is in them. Paths that
// are none of JobSpec's are left out. Pure.
std::string JobYaml(const JobFields& fields);

}  // namespace hydra

#endif  // HYDRA_COMMON_JOBFILE_JOB_YAML_H_
