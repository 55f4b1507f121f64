#include "scheduler/core/residency.h"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "common/chain/task_chain.h"
#include "scheduler/core/newest_versions.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;

// Whether a block that the task makes is on its device then. Boundaries are;
// new parameters are where the device updates, and state and gradients do not
// stay.
bool StaysOnDevice(const Job& job, const OutstandingTask& task,
                   const BlockKey& key) {
  switch (key.kind) {
    case wv1::BLOCK_KIND_ACTIVATION:
    case wv1::BLOCK_KIND_ACTIVATION_GRADIENT:
      return true;
    case wv1::BLOCK_KIND_PARAMETERS:
      return (task.task.kind == wv1::TASK_KIND_BACKWARD ||
              task.task.kind == wv1::TASK_KIND_TURN) &&
             UpdatePlaceOf(job) == v1::UPDATE_PLACE_DEVICE;
    default:
      return false;
  }
}

// What the host makes of less than one part in so many of what a task reads, as
// of adapters, is there soon enough.
constexpr int64_t kAwaitedShare = 16;

// Of what a pass over the layers has on its device.
int64_t FrozenBytes(const ModelTable& table, const LayerRange& layers) {
  int64_t bytes = 0;
  for (int index : BlocksUsed(table, layers)) {
    const ParameterBlock& block = table.parameter_blocks[index];
    if (block.frozen && !StaysOnHost(block, layers)) bytes += block.size_bytes;
  }
  return bytes;
}

// Whether the task needs the block itself, not only to hand it on.
bool Needs(const ChainTask& task, const BlockKey& key) {
  return key.kind == wv1::BLOCK_KIND_PARAMETERS ||
         task.kind == wv1::TASK_KIND_UPDATE;
}

}  // namespace

int64_t ResidentBytes(const WorkerRecord& worker, const BlockTable& blocks,
                      const Job& job) {
  absl::flat_hash_set<VersionId> made;
  for (const OutstandingTask& task : job.outstanding) {
    if (task.worker != worker.id) continue;
    for (const auto& [key, version] : task.made) {
      if (StaysOnDevice(job, task, key)) made.insert(version.id);
    }
  }
  if (made.empty() && worker.cached.empty()) return 0;
  const NewestVersions newest(blocks, job);
  int64_t bytes = 0;
  for (const BlockKey& key :
       TaskAt(job.shape, job.plan, job.NextPosition()).reads) {
    const Version* version = newest.Find(key);
    if (version != nullptr &&
        (worker.cached.contains(version->id) || made.contains(version->id))) {
      bytes += version->size_bytes;
    }
  }
  return bytes;
}

bool ReadsSameBase(const Job& job, const ChainPosition& next,
                   const ChainTask& last) {
  const LayerRange& layers = job.shape.shards[ShardAt(job.shape, next)];
  const int64_t all = FrozenBytes(*job.shape.table, layers);
  const int64_t common =
      FrozenBytes(*job.shape.table, {std::max(layers.first, last.layers.first),
                                     std::min(layers.last, last.layers.last)});
  return all > 0 && 2 * common >= all;
}

bool WaitsForHost(const WorkerRecord& worker, const Job& job) {
  if (!worker.device.has_own_memory || job.outstanding.empty()) return false;
  // By which of the tasks, the last one if by several.
  absl::flat_hash_map<BlockKey, size_t> made_by;
  // The last one of those that made what `task` needs.
  const auto last_maker = [&made_by](const ChainTask& task) {
    std::optional<size_t> last;
    for (const BlockKey& key : task.reads) {
      const auto made = Needs(task, key) ? made_by.find(key) : made_by.end();
      if (made != made_by.end())
        last = std::max(last, std::optional(made->second));
    }
    return last;
  };
  for (size_t i = 0; i < job.outstanding.size(); ++i) {
    const OutstandingTask& task = job.outstanding[i];
    // The host goes in order: what was made before is there, too, by then.
    const std::optional<size_t> awaited = last_maker(task.task);
    absl::erase_if(made_by,
                   [&](const auto& made) { return made.second <= awaited; });
    for (const auto& [key, version] : task.made) {
      if (!StaysOnDevice(job, task, key)) made_by[key] = i;
    }
  }
  const ChainTask next = TaskAt(job.shape, job.plan, job.NextPosition());
  int64_t awaited_bytes = 0;
  int64_t bytes = 0;
  for (const BlockKey& key : next.reads) {
    const int64_t size = BlockBytes(job.shape, next.kind, key);
    bytes += size;
    if (Needs(next, key) && made_by.contains(key)) awaited_bytes += size;
  }
  return awaited_bytes > bytes / kAwaitedShare;
}

}  // namespace hydra
