#ifndef HYDRA_SCHEDULER_STORAGE_MODEL_WRITER_H_
#define HYDRA_SCHEDULER_STORAGE_MODEL_WRITER_H_

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "common/pool/pool_file.h"
#include "scheduler/core/actions.h"
#include "scheduler/runtime/work_thread.h"

namespace hydra {

// Writes one trained model as a directory that Hugging Face tools open:
// config.json, model.safetensors, and the tokenizer's files where there are
// any, or adapters as one that PEFT opens, or a model with adapters merged into
// it, see WriteModelFiles(); beside them
// hydra_job.json with the job's configuration and what it measured. What else
// is in the directory stays. Whoever finds the weights finds all of it, also
// after a crash; when this returns, it is on the disk.
//
// A tokenizer is copied only from below `read_roots`; none of them: from
// everywhere. Asks `go_on` before the first block and behind each one. Reads
// the pool's slots; blocks on the disk.
//
// After an error no new weights are in place. Worth another try are
// RESOURCE_EXHAUSTED: the disk, quota or file size limit has no room;
// UNAVAILABLE: the disk or its server failed, or the folder was moved while it
//   was written, or `go_on` returned false.
// Others, as FileError() has them, will come again: PERMISSION_DENIED (also of
// a read-only file system), FAILED_PRECONDITION (a link or a file where a
// folder should be), ...
absl::Status WriteModel(const PoolFile& pool, const SaveRequest& request,
                        const std::vector<std::string>& read_roots,
                        absl::FunctionRef<bool()> go_on);

// Does WriteModel in a thread of its own, one request after another.
// Thread-safe.
class ModelWriter {
 public:
  using Complete = std::function<void(JobId, hydra::v1::JobDetail&)>;
  using Done = std::function<void(JobId, const absl::Status&)>;

  // `pool` must outlive this. `read_roots`: as WriteModel's. Both are called on
  // the writer's thread, once for each Write() before Stop(): `complete` adds
  // what a request's detail lacks.
  ModelWriter(const PoolFile* pool, std::vector<std::string> read_roots,
              Complete complete, Done done);
  // Stops it.
  ~ModelWriter();

  void Write(const SaveRequest& request);

  // Breaks off the model under way at the end of its block; it and those that
  // wait are reported as UNAVAILABLE. What is asked for later is dropped
  // without a report. May be called again, but not from `done` nor from two
  // threads at once.
  void Stop();

 private:
  const PoolFile* const pool_;
  const std::vector<std::string> read_roots_;
  const Complete complete_;
  const Done done_;
  std::atomic<bool> stopping_ = false;
  WorkThread thread_;  // The last: it uses the others.
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_STORAGE_MODEL_WRITER_H_
