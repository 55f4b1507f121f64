#ifndef HYDRA_WORKER_EXEC_BATCH_READER_H_
#define HYDRA_WORKER_EXEC_BATCH_READER_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/data/batch_plan.h"
#include "common/model/model_table.h"
#include "hydra/worker/v1/worker.pb.h"
#include "worker/data/token_masking.h"
#include "worker/exec/content_cache.h"
#include "worker/exec/host_batch.h"
#include "worker/exec/split_file.h"

namespace hydra {

// Reads the batches that tasks name, of any number of jobs. Keeps the orders of
// the epochs that were read last; jobs with the same data, batch size and seed
// share them. Between two tasks the token files of a job may become others: a
// paused job may go on with another corpus. Not thread-safe.
class BatchReader {
 public:
  // Orders take at most so much host memory together, or one does: 4 bytes for
  // each window of the split.
  explicit BatchReader(int64_t order_bytes) : orders_(order_bytes) {}

  // The task's batches, in order. `job` is the task's; `table` is the model's.
  //
  // FAILED_PRECONDITION: the split is not prepared.
  // INVALID_ARGUMENT: a token file has an id that is no id of the model. The
  //   message names the file, and the window and position in it.
  // DATA_LOSS: the same, and the file's header had denied it; examples of
  //   another size than the model's, or of classes that it has not; or as
  //   TokenFile::Read and ExampleFile::Read.
  // INVALID_ARGUMENT, OUT_OF_RANGE: the split is too short for what is asked.
  // Others: as TokenFile::Open and ExampleFile::Open.
  absl::StatusOr<std::vector<HostBatch>> Read(const worker::v1::Task& task,
                                              const worker::v1::JobContext& job,
                                              const ModelTable& table);

  // Host memory that orders take now.
  int64_t order_bytes() const { return orders_.bytes(); }

 private:
  absl::StatusOr<std::vector<HostBatch>> ReadTraining(
      const worker::v1::Task& task, const worker::v1::JobContext& job,
      const ModelTable& table);
  absl::StatusOr<std::vector<HostBatch>> ReadEvaluation(
      const worker::v1::Task& task, const worker::v1::JobContext& job,
      const ModelTable& table);

  // 1 / target tokens of the step that are trained on, of whatever round. They
  // are counted for those who make the loss.
  absl::StatusOr<double> GradientScaleOf(
      const worker::v1::Task& task, const worker::v1::JobContext& job,
      const SplitFile& file, absl::Span<const int64_t> windows,
      const std::optional<TokenMasking>& masking);

  absl::StatusOr<std::vector<int64_t>> WindowsOfStep(
      int64_t step, int64_t window_count, const hydra::v1::JobSpec& spec);

  ContentCache<BatchOrder> orders_;
};

// 1 / target tokens of a step, where all of them are trained on.
double GradientScale(const hydra::v1::TrainSpec& train);

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_BATCH_READER_H_
