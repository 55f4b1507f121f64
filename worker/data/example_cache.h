#ifndef HYDRA_WORKER_DATA_EXAMPLE_CACHE_H_
#define HYDRA_WORKER_DATA_EXAMPLE_CACHE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/file/file_access.h"
#include "common/model/model_table.h"
#include "worker/data/prepared_examples.h"
#include "worker/task/task_control.h"

// Data sets of examples on disk as one file each (see ExampleFile), beside the
// token files and found by content as these are: its name is the SHA-256 of the
// data files, in their order, of what the model takes, and of the version of
// this code's output.
namespace hydra {

struct ExampleRequest {
  // Created if missing.
  std::string cache_dir;
  // At least one, see ExampleSource. Their examples follow each other in this
  // order.
  std::vector<std::string> files;
  // The files must lie where it says.
  FileAccess access;
  // The model's.
  ExampleInput input;
};

// Makes the prepared file of `request`, or finds it. Reads the data files once
// to find the name, and twice more if the file must be made; a file that is
// found is checked in full, and made anew if it is damaged. Of a data file of
// any size a few MiB are in memory.
//
// As FindOrMakeExamples. A warning names a file with tensors that are not read.
//
// INVALID_ARGUMENT: as ExampleSource::Open and Read; no files; two files whose
// numbers have different types. FAILED_PRECONDITION: a data file changed
// meanwhile. RESOURCE_EXHAUSTED: the cache's disk has no room for the whole
// file, which is told before anything is written, with both numbers. NOT_FOUND,
// PERMISSION_DENIED and others: as OpenInputFile, and from the file system.
// Errors name the file. ABORTED: `control` says so, which is told of every
// piece that is read.
absl::StatusOr<PreparedExamples> PrepareExamples(const ExampleRequest& request,
                                                 TaskControl& control);

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_EXAMPLE_CACHE_H_
