#include "worker/exec/init_pass.h"

#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/checkpoint/block_layout.h"
#include "common/model/base_key.h"
#include "common/model/weight_match.h"
#include "common/safetensors/weight_directory.h"
#include "worker/exec/restore_pass.h"
#include "worker/model/parameter_init.h"

namespace hydra {
namespace {

using safetensors::WeightDirectory;
using worker::v1::BlockVersion;

// The model's own checkpoint, and where each tensor is in it.
struct Checkpoint {
  WeightDirectory weights;
  WeightMatch match;
};

safetensors::WeightDirectoryOptions OptionsOf(
    const worker::v1::JobContext& job) {
  safetensors::WeightDirectoryOptions options;
  options.allowed_roots = {job.read_roots().begin(), job.read_roots().end()};
  if (options.allowed_roots.empty()) options.allowed_roots = {"/"};
  return options;
}

absl::StatusOr<Checkpoint> OpenCheckpoint(const worker::v1::JobContext& job,
                                          const ModelTable& table) {
  auto opened =
      WeightDirectory::Open(job.spec().model().path(), OptionsOf(job));
  if (!opened.ok()) return opened.status();
  if (!job.base_key().empty() &&
      BaseKey(job.spec(), table, IdentityOf(*opened)) != job.base_key()) {
    return absl::FailedPreconditionError(absl::StrCat(
        job.spec().model().path(),
        ": the files are not those that the job was submitted with, and what "
        "it trained belongs to"));
  }
  WeightMatch match = MatchWeights(table, *opened);
  if (!match.mistakes.empty()) {
    return absl::InvalidArgumentError(absl::StrJoin(match.mistakes, "; "));
  }
  return Checkpoint{*std::move(opened), std::move(match)};
}

// Fills what comes from the model itself: all blocks, or, where others come
// from a checkpoint, those that are not there.
absl::StatusOr<int64_t> FillFromModel(const worker::v1::Task& task,
                                      const worker::v1::JobContext& job,
                                      const ModelTable& table,
                                      const HostRange& host,
                                      TaskControl* control) {
  int64_t filled_bytes = 0;
  const hydra::v1::JobSpec& spec = job.spec();
  const bool is_pretrained =
      spec.model().init() != hydra::v1::INITIALIZATION_RANDOM;
  // Not opened before a block is of it.
  std::optional<Checkpoint> checkpoint;
  for (const BlockVersion& version : task.writes()) {
    if (version.kind() != worker::v1::BLOCK_KIND_PARAMETERS) continue;
    const ParameterBlock& block = table.parameter_blocks.at(version.index());
    if (!task.restore_dir().empty() && IsInFile(table, version.index())) {
      continue;
    }
    const bool is_read = is_pretrained && !block.is_adapter;
    if (is_read && !checkpoint.has_value()) {
      auto opened = OpenCheckpoint(job, table);
      if (!opened.ok()) return opened.status();
      checkpoint = *std::move(opened);
    }
    const absl::Span<std::byte> slot =
        host(version.offset_bytes(), block.size_bytes);
    // For the bytes between tensors.
    std::memset(slot.data(), 0, slot.size());
    for (const TensorEntry& tensor : block.tensors) {
      if (absl::Status on = control->Advance(); !on.ok()) return on;
      float* out = reinterpret_cast<float*>(slot.data() + tensor.offset_bytes);
      if (!is_read) {
        InitTensor(tensor, spec.train().seed(), out);
        continue;
      }
      if (absl::Status read = checkpoint->weights.ReadAsFloat32(
              checkpoint->match.names.at(tensor.name), 0,
              absl::MakeSpan(out, tensor.element_count));
          !read.ok()) {
        return read;
      }
    }
    filled_bytes += block.size_bytes;
  }
  return filled_bytes;
}

}  // namespace

absl::StatusOr<int64_t> RunInitPass(const worker::v1::Task& task,
                                    const worker::v1::JobContext& job,
                                    const ModelTable& table,
                                    const HostRange& host,
                                    TaskControl* control) {
  if (task.restore_dir().empty()) {
    return FillFromModel(task, job, table, host, control);
  }
  const auto restored = RunRestorePass(task, table, host, control);
  if (!restored.ok()) return restored.status();
  const auto filled = FillFromModel(task, job, table, host, control);
  if (!filled.ok() && !absl::IsAborted(filled.status())) {
    // The checkpoint is not to blame.
    return absl::FailedPreconditionError(
        absl::StrCat("the base model: ", filled.status().message()));
  }
  if (!filled.ok()) return filled.status();
  return *restored + *filled;
}

}  // namespace hydra
