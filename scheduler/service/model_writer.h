#ifndef HYDRA_SCHEDULER_SERVICE_MODEL_WRITER_H_
#define HYDRA_SCHEDULER_SERVICE_MODEL_WRITER_H_

#include <deque>
#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "common/pool/pool_file.h"
#include "scheduler/core/effects.h"

namespace hydra {

// Writes one trained model as a directory that Hugging Face tools open:
// config.json, model.safetensors, and the tokenizer's files where there are
// any; beside them hydra_job.json with the job's configuration and what it
// measured. Reads the pool's slots; blocks on the disk.
absl::Status WriteModel(const PoolFile& pool, const SaveRequest& request);

// Does WriteModel in a thread of its own, one request after another.
// Thread-safe.
class ModelWriter {
 public:
  using Done = std::function<void(JobId, const absl::Status&)>;

  // `pool` must outlive this. `done` is called on the writer's thread.
  ModelWriter(const PoolFile* pool, Done done);
  // Finishes the request under way, and drops the others.
  ~ModelWriter();

  void Write(const SaveRequest& request) ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Loop() ABSL_LOCKS_EXCLUDED(mu_);

  const PoolFile* const pool_;
  const Done done_;
  absl::Mutex mu_;
  std::deque<SaveRequest> requests_ ABSL_GUARDED_BY(mu_);
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SERVICE_MODEL_WRITER_H_
