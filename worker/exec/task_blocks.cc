#include "worker/exec/task_blocks.h"

#include <algorithm>

#include "c10/util/Exception.h"

namespace hydra {
namespace {

using worker::v1::BlockKind;
using worker::v1::BlockVersion;

template <typename ByBlock>
const BlockVersion* Find(const ByBlock& by_block, BlockKind kind, int index,
                         int batch) {
  const auto found = by_block.find({kind, index});
  if (found == by_block.end() ||
      batch >= static_cast<int>(found->second.size())) {
    return nullptr;
  }
  return found->second[batch];
}

const BlockVersion& Required(const BlockVersion* block, const char* use,
                             BlockKind kind, int index, int batch) {
  TORCH_CHECK(block != nullptr, "the task ", use, " no ", BlockKind_Name(kind),
              " ", index, " for its batch ", batch);
  return *block;
}

}  // namespace

TaskBlocks::TaskBlocks(const worker::v1::Task& task)
    : reads_(Index(task.reads())), writes_(Index(task.writes())) {}

TaskBlocks::ByBlock TaskBlocks::Index(
    const google::protobuf::RepeatedPtrField<BlockVersion>& blocks) {
  ByBlock by_block;
  for (const BlockVersion& block : blocks) {
    by_block[{block.kind(), block.index()}].push_back(&block);
  }
  for (auto& [key, versions] : by_block) {
    std::stable_sort(versions.begin(), versions.end(),
                     [](const BlockVersion* a, const BlockVersion* b) {
                       return a->micro_batch() < b->micro_batch();
                     });
  }
  return by_block;
}

const BlockVersion& TaskBlocks::Read(BlockKind kind, int index,
                                     int batch) const {
  return Required(FindRead(kind, index, batch), "reads", kind, index, batch);
}

const BlockVersion& TaskBlocks::Written(BlockKind kind, int index,
                                        int batch) const {
  return Required(FindWritten(kind, index, batch), "writes", kind, index,
                  batch);
}

const BlockVersion* TaskBlocks::FindRead(BlockKind kind, int index,
                                         int batch) const {
  return Find(reads_, kind, index, batch);
}

const BlockVersion* TaskBlocks::FindWritten(BlockKind kind, int index,
                                            int batch) const {
  return Find(writes_, kind, index, batch);
}

}  // namespace hydra
