#include "worker/exec/whole_reads.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "common/chain/chain_task.h"

namespace hydra {
namespace {

using worker::v1::BlockVersion;
using worker::v1::Task;

// When a pass first needs it: the micro-batch, what comes first in it, the
// layer.
using Moment = std::tuple<int, int, int>;

bool IsPass(const Task& task) {
  switch (task.kind()) {
    case worker::v1::TASK_KIND_FORWARD:
    case worker::v1::TASK_KIND_BACKWARD:
    case worker::v1::TASK_KIND_TURN:
    case worker::v1::TASK_KIND_EVALUATE:
      return true;
    default:
      return false;
  }
}

int FirstUser(const ParameterBlock& block, const LayerRange& layers) {
  int first = layers.last;
  for (int layer : block.layers) {
    if (layers.Contains(layer)) first = std::min(first, layer);
  }
  return first;
}

}  // namespace

std::vector<BlockVersion> WholeReads(const Task& task, const ModelTable& table,
                                     int streamed_block) {
  if (!IsPass(task)) return {};
  const LayerRange layers{task.first_layer(), task.last_layer()};
  const int blocks = static_cast<int>(table.parameter_blocks.size());
  std::vector<std::pair<Moment, const BlockVersion*>> reads;
  for (const BlockVersion& read : task.reads()) {
    switch (read.kind()) {
      case worker::v1::BLOCK_KIND_ACTIVATION:
        reads.push_back({{read.micro_batch(), 0, 0}, &read});
        break;
      case worker::v1::BLOCK_KIND_PARAMETERS: {
        if (read.index() < 0 || read.index() >= blocks) break;
        if (read.index() == streamed_block) break;
        const ParameterBlock& block = table.parameter_blocks[read.index()];
        if (StaysOnHost(block, layers)) break;
        reads.push_back({{0, 1, FirstUser(block, layers)}, &read});
        break;
      }
      case worker::v1::BLOCK_KIND_ACTIVATION_GRADIENT:
        reads.push_back({{read.micro_batch(), 2, 0}, &read});
        break;
      default:
        break;
    }
  }
  std::stable_sort(
      reads.begin(), reads.end(),
      [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<BlockVersion> versions;
  versions.reserve(reads.size());
  for (const auto& [moment, version] : reads) versions.push_back(*version);
  return versions;
}

}  // namespace hydra
