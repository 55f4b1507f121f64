#include "worker/exec/task_blocks.h"

#include "c10/util/Exception.h"

namespace hydra {
namespace {

using worker::v1::BlockVersion;

template <typename ByBlock>
const BlockVersion* Find(const ByBlock& by_block, const BlockKey& key) {
  const auto found = by_block.find(key);
  return found == by_block.end() ? nullptr : found->second;
}

const BlockVersion& Required(const BlockVersion* block, const char* use,
                             const BlockKey& key) {
  TORCH_CHECK(block != nullptr, "the task ", use, " no ",
              worker::v1::BlockKind_Name(key.kind), " ", key.index,
              " of micro-batch ", key.micro_batch);
  return *block;
}

}  // namespace

TaskBlocks::TaskBlocks(const worker::v1::Task& task)
    : reads_(Index(task.reads())), writes_(Index(task.writes())) {}

TaskBlocks::ByBlock TaskBlocks::Index(
    const google::protobuf::RepeatedPtrField<BlockVersion>& blocks) {
  ByBlock by_block;
  for (const BlockVersion& block : blocks) {
    by_block[BlockKeyOf(block)] = &block;
  }
  return by_block;
}

const BlockVersion& TaskBlocks::Read(const BlockKey& key) const {
  return Required(FindRead(key), "reads", key);
}

const BlockVersion& TaskBlocks::Written(const BlockKey& key) const {
  return Required(FindWritten(key), "writes", key);
}

const BlockVersion* TaskBlocks::FindRead(const BlockKey& key) const {
  return Find(reads_, key);
}

const BlockVersion* TaskBlocks::FindWritten(const BlockKey& key) const {
  return Find(writes_, key);
}

}  // namespace hydra
