#include "worker/exec/init_pass.h"

#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "common/safetensors/weight_directory.h"
#include "worker/exec/restore_pass.h"
#include "worker/model/parameter_init.h"

namespace hydra {
namespace {

using safetensors::Weight;
using safetensors::WeightDirectory;
using worker::v1::BlockVersion;

std::string ShapeText(absl::Span<const int64_t> shape) {
  return absl::StrCat("[", absl::StrJoin(shape, ", "), "]");
}

// Published checkpoints name their tensors with or without the name of the
// module that the head stands beside.
absl::StatusOr<const Weight*> FindWeight(const WeightDirectory& checkpoint,
                                         const TensorEntry& tensor) {
  const absl::string_view bare = absl::StripPrefix(tensor.name, "transformer.");
  const Weight* weight = checkpoint.Find(tensor.name);
  if (weight == nullptr) weight = checkpoint.Find(bare);
  if (weight == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("the checkpoint has no tensor \"", tensor.name,
                     "\", wanted with shape ", ShapeText(tensor.shape)));
  }
  if (absl::MakeConstSpan(weight->tensor->shape) !=
      absl::MakeConstSpan(tensor.shape)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "tensor \"", weight->tensor->name, "\" of the checkpoint has shape ",
        ShapeText(weight->tensor->shape), ", wanted ",
        ShapeText(tensor.shape)));
  }
  return weight;
}

absl::Status ReadTensor(const WeightDirectory& checkpoint,
                        const TensorEntry& tensor, float* out) {
  auto weight = FindWeight(checkpoint, tensor);
  if (!weight.ok()) return weight.status();
  return checkpoint.ReadAsFloat32((*weight)->tensor->name, 0,
                                  absl::MakeSpan(out, tensor.element_count));
}

safetensors::WeightDirectoryOptions OptionsOf(
    const worker::v1::JobContext& job) {
  safetensors::WeightDirectoryOptions options;
  options.allowed_roots = {job.read_roots().begin(), job.read_roots().end()};
  if (options.allowed_roots.empty()) options.allowed_roots = {"/"};
  return options;
}

}  // namespace

absl::Status RunInitPass(const worker::v1::Task& task,
                         const worker::v1::JobContext& job,
                         const ModelTable& table, const HostRange& host,
                         int64_t* filled_bytes) {
  if (!task.restore_dir().empty()) {
    return RunRestorePass(task, table, host, filled_bytes);
  }
  const hydra::v1::JobSpec& spec = job.spec();
  std::optional<WeightDirectory> checkpoint;
  if (spec.model().init() != hydra::v1::INITIALIZATION_RANDOM) {
    auto opened = WeightDirectory::Open(spec.model().path(), OptionsOf(job));
    if (!opened.ok()) return opened.status();
    checkpoint = *std::move(opened);
  }
  for (const BlockVersion& version : task.writes()) {
    if (version.kind() != worker::v1::BLOCK_KIND_PARAMETERS) continue;
    const ParameterBlock& block = table.parameter_blocks.at(version.index());
    const absl::Span<std::byte> slot =
        host(version.offset_bytes(), block.size_bytes);
    // For the bytes between tensors.
    std::memset(slot.data(), 0, slot.size());
    for (const TensorEntry& tensor : block.tensors) {
      float* out = reinterpret_cast<float*>(slot.data() + tensor.offset_bytes);
      if (!checkpoint) {
        InitTensor(tensor, spec.train().seed(), out);
        continue;
      }
      if (absl::Status read = ReadTensor(*checkpoint, tensor, out);
          !read.ok()) {
        return read;
      }
    }
    *filled_bytes += block.size_bytes;
  }
  return absl::OkStatus();
}

}  // namespace hydra
