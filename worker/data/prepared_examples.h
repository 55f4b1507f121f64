#ifndef HYDRA_WORKER_DATA_PREPARED_EXAMPLES_H_
#define HYDRA_WORKER_DATA_PREPARED_EXAMPLES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/hash/sha256.h"
#include "worker/data/example_file.h"
#include "worker/data/posix_file.h"
#include "worker/task/task_control.h"

// How prepared files of examples (see ExampleFile) are made, whatever they are
// made of.
namespace hydra {

struct PreparedExamples {
  std::string path;
  int64_t example_count = 0;
  bool reused = false;  // Whether an earlier call had made the file.
  // What somebody who made the data should know, a sentence each.
  std::vector<std::string> warnings;
};

// Writes a prepared file: its examples, then its header. Not thread-safe.
class ExampleWriter {
 public:
  // Of examples as `header` has them, whose count and content_hash are left to
  // this. `file` must outlive it.
  ExampleWriter(ExampleHeader header, PosixFile* file);

  // Of one example.
  int64_t example_bytes() const { return header_.example_bytes(); }

  // Before the first of `example_count` examples. It may take hours to write
  // them: a disk that is too small is told now, with RESOURCE_EXHAUSTED.
  absl::Status Begin(int64_t example_count);

  // `records` are `count` examples, as they lie in a prepared file.
  absl::Status Append(absl::string_view records, int64_t count);

  // All of it is on the disk then.
  absl::Status Finish();

 private:
  PosixFile& file_;
  ExampleHeader header_;
  Sha256 sha_;
};

// Finds the prepared file that `key` names in `cache_dir`, which is created if
// it is missing, and checks it in full; one that is missing or damaged is made
// by `make`, with an ExampleWriter.
//
// Any number of processes may do so at once: one makes the file, the others
// wait for it and reuse it. A file is complete from the moment it has its name.
// What a call leaves that is killed is begun anew by the next one for the same
// key; if there is none within a day, a call for another one removes it.
// Blocks; thread-safe.
//
// Errors: those of `make`, and from the file system. ABORTED: `control` says
// so.
absl::StatusOr<PreparedExamples> FindOrMakeExamples(
    const std::string& cache_dir, absl::string_view key, TaskControl& control,
    absl::FunctionRef<absl::Status(PosixFile&)> make);

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_PREPARED_EXAMPLES_H_
