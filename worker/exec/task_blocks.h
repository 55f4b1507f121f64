#ifndef HYDRA_WORKER_EXEC_TASK_BLOCKS_H_
#define HYDRA_WORKER_EXEC_TASK_BLOCKS_H_

#include "absl/container/flat_hash_map.h"
#include "common/chain/block_key.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "hydra/worker/v1/worker.pb.h"

namespace hydra {

// The block versions that a task names, by block. Points into the task, which
// must live as long. Immutable.
class TaskBlocks {
 public:
  explicit TaskBlocks(const worker::v1::Task& task);

  // Throw c10::Error if the task names no such version: its maker is wrong.
  const worker::v1::BlockVersion& Read(const BlockKey& key) const;
  const worker::v1::BlockVersion& Written(const BlockKey& key) const;

  // Null if the task names none.
  const worker::v1::BlockVersion* FindRead(const BlockKey& key) const;
  const worker::v1::BlockVersion* FindWritten(const BlockKey& key) const;

 private:
  using ByBlock =
      absl::flat_hash_map<BlockKey, const worker::v1::BlockVersion*>;

  static ByBlock Index(
      const google::protobuf::RepeatedPtrField<worker::v1::BlockVersion>&
          blocks);

  const ByBlock reads_;
  const ByBlock writes_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_TASK_BLOCKS_H_
