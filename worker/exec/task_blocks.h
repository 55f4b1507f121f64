#ifndef HYDRA_WORKER_EXEC_TASK_BLOCKS_H_
#define HYDRA_WORKER_EXEC_TASK_BLOCKS_H_

#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "hydra/worker/v1/worker.pb.h"

namespace hydra {

// The block versions that a task names, by block. A boundary has one for each
// of the task's batches; `batch` counts them from 0 by their micro_batch.
// Points into the task, which must live as long. Immutable.
class TaskBlocks {
 public:
  explicit TaskBlocks(const worker::v1::Task& task);

  // Throw c10::Error if the task names no such version: its maker is wrong.
  const worker::v1::BlockVersion& Read(worker::v1::BlockKind kind, int index,
                                       int batch = 0) const;
  const worker::v1::BlockVersion& Written(worker::v1::BlockKind kind, int index,
                                          int batch = 0) const;

  // Null if the task names none.
  const worker::v1::BlockVersion* FindRead(worker::v1::BlockKind kind,
                                           int index, int batch = 0) const;
  const worker::v1::BlockVersion* FindWritten(worker::v1::BlockKind kind,
                                              int index, int batch = 0) const;

 private:
  using Versions = std::vector<const worker::v1::BlockVersion*>;
  using ByBlock = absl::flat_hash_map<std::pair<int, int>, Versions>;

  static ByBlock Index(
      const google::protobuf::RepeatedPtrField<worker::v1::BlockVersion>&
          blocks);

  const ByBlock reads_;
  const ByBlock writes_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_TASK_BLOCKS_H_
