#ifndef HYDRA_COMMON_JOBFILE_IMPORT_COUNTERPART_H_
#define HYDRA_COMMON_JOBFILE_IMPORT_COUNTERPART_H_

#include <string>

#include "absl/strings/string_view.h"
#include "common/jobfile/suggest.h"

// What a key of another tool's file is in a job file. Pure.
namespace hydra {

// What job_aliases.h says of `key` in `section`, such as "datasets", of that
// section itself; empty: of the file. Null: nothing.
const Alias* CounterpartIn(absl::string_view section, absl::string_view key);

// The path of the job file's field that has this name or path, and holds a
// value. Empty: there is none.
std::string FieldNamed(absl::string_view name);

// data.train_files and its like.
bool IsFilesField(absl::string_view path);

// Whether the value of a field makes another model.
bool IsPartOfTheResult(absl::string_view path);

}  // namespace hydra

#endif  // HYDRA_COMMON_JOBFILE_IMPORT_COUNTERPART_H_
