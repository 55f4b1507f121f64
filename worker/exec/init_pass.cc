#include "worker/exec/init_pass.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ATen/core/Tensor.h"
#include "ATen/ops/from_blob.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/checkpoint/block_layout.h"
#include "common/file/file.h"
#include "common/file/file_user.h"
#include "common/model/base_key.h"
#include "common/model/element_dtype.h"
#include "common/model/quantized_rows.h"
#include "common/model/weight_match.h"
#include "common/safetensors/weight_directory.h"
#include "worker/exec/job_access.h"
#include "worker/exec/restore_pass.h"
#include "worker/model/element_type.h"
#include "worker/model/optimizer_kernel.h"
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
  options.user = UserOf(OwnerOf(job));
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

// In the order of the elements, some whole rows of so many at once.
template <typename Fill>
absl::Status InPieces(int64_t count, int64_t row_elements, Fill fill) {
  constexpr int64_t kPieceElements = 1 << 16;
  const int64_t piece_elements =
      std::max<int64_t>(kPieceElements / row_elements, 1) * row_elements;
  for (int64_t first = 0; first < count; first += piece_elements) {
    absl::Status filled = fill(first, std::min(piece_elements, count - first));
    if (!filled.ok()) return filled;
  }
  return absl::OkStatus();
}

// Writes the numbers, each rounded to the nearest one that there is.
absl::Status Narrow(const TensorEntry& tensor, absl::Span<float> numbers,
                    ElementType type, std::byte* out) {
  if (type == ElementType::kFloat16) {
    // What lies at least halfway to the number behind the largest.
    constexpr float kTooLarge = 65520;
    for (float number : numbers) {
      if (std::abs(number) < kTooLarge || !std::isfinite(number)) continue;
      return absl::InvalidArgumentError(absl::StrCat(
          "tensor ", tensor.name, " has a value of ", number,
          ", and float16 ends at 65504; model.frozen_dtype: bfloat16 has room "
          "for it"));
    }
  }
  const auto count = static_cast<int64_t>(numbers.size());
  at::from_blob(out, {count}, TorchTypeOf(type))
      .copy_(at::from_blob(numbers.data(), {count}, at::kFloat));
  return absl::OkStatus();
}

// Writes rows of a matrix, of which `first` is the first number of all.
absl::Status Quantize(const TensorEntry& tensor, int64_t first,
                      absl::Span<const float> numbers, std::byte* out) {
  const int64_t width = tensor.shape[1];
  const auto count = static_cast<int64_t>(numbers.size());
  for (int64_t i = 0; i < count; i += width) {
    const int64_t row = (first + i) / width;
    absl::Status quantized = QuantizeRow(numbers.subspan(i, width),
                                         out + row * QuantizedRowBytes(width));
    if (!quantized.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("tensor ", tensor.name,
                                                     " has in row ", row, " ",
                                                     quantized.message()));
    }
  }
  return absl::OkStatus();
}

absl::Status Draw(const TensorEntry& tensor, ElementType type, uint64_t seed,
                  std::byte* out) {
  if (type == ElementType::kFloat32) {
    InitTensor(tensor, seed, reinterpret_cast<float*>(out));
    return absl::OkStatus();
  }
  std::vector<float> drawn(tensor.element_count);
  InitTensor(tensor, seed, drawn.data());
  if (type == ElementType::kInt8) return Quantize(tensor, 0, drawn, out);
  return Narrow(tensor, absl::MakeSpan(drawn), type, out);
}

// What the checkpoint has in this type moves as it is.
absl::Status ReadTensor(const Checkpoint& checkpoint, const TensorEntry& tensor,
                        ElementType type, std::byte* out) {
  const WeightDirectory& weights = checkpoint.weights;
  const std::string& name = checkpoint.match.names.at(tensor.name);
  if (type == ElementType::kInt8) {
    std::vector<float> rows;
    return InPieces(
        tensor.element_count, tensor.shape[1],
        [&](int64_t first, int64_t count) {
          rows.resize(count);
          absl::Status read = ReadElements(checkpoint.match, weights, tensor,
                                           first, absl::MakeSpan(rows));
          return read.ok() ? Quantize(tensor, first, rows, out) : read;
        });
  }
  const int64_t element_bytes = ElementBytes(type);
  if (weights.Find(name)->tensor->dtype == DtypeOf(type)) {
    return weights.Read(name, 0, tensor.element_count * element_bytes, out);
  }
  if (type == ElementType::kFloat32) {
    return ReadElements(
        checkpoint.match, weights, tensor, 0,
        absl::MakeSpan(reinterpret_cast<float*>(out), tensor.element_count));
  }
  std::vector<float> piece;
  return InPieces(tensor.element_count, /*row_elements=*/1,
                  [&](int64_t first, int64_t count) {
                    piece.resize(count);
                    absl::Status read = weights.ReadAsFloat32(
                        name, first, absl::MakeSpan(piece));
                    if (!read.ok()) return read;
                    return Narrow(tensor, absl::MakeSpan(piece), type,
                                  out + first * element_bytes);
                  });
}

// Where a block's numbers come from: the checkpoint, or, if that is null, and
// of tensors that it may lack and does, each tensor's own random stream.
struct Source {
  const Checkpoint* checkpoint = nullptr;
  uint64_t seed = 0;
};

// Fills `out`, which is laid out like the block, with numbers of this type.
absl::Status Fill(const ParameterBlock& block, const Source& source,
                  ElementType block_type, absl::Span<std::byte> out,
                  TaskControl* control) {
  // For the bytes between tensors.
  std::memset(out.data(), 0, out.size());
  for (const TensorEntry& tensor : block.tensors) {
    const ElementType type = StoredType(block_type, tensor);
    if (absl::Status on = control->Advance(); !on.ok()) return on;
    std::byte* const begin =
        out.data() + block.FirstElement(tensor) * ElementBytes(block_type);
    const bool is_there = source.checkpoint != nullptr &&
                          source.checkpoint->match.names.contains(tensor.name);
    if (source.checkpoint != nullptr && !is_there && block.frozen) {
      // Jobs of other seeds may share it.
      return absl::InvalidArgumentError(absl::StrCat(
          "the weights lack ", tensor.name, ", which the job does not train"));
    }
    absl::Status filled =
        is_there ? ReadTensor(*source.checkpoint, tensor, type, begin)
                 : Draw(tensor, type, source.seed, begin);
    if (!filled.ok()) return filled;
  }
  return absl::OkStatus();
}

// The slot of the state that the task writes beside a block with a master.
absl::StatusOr<absl::Span<std::byte>> StateSlot(const worker::v1::Task& task,
                                                int index, int64_t least_bytes,
                                                const HostRange& host) {
  for (const BlockVersion& version : task.writes()) {
    if (version.kind() == worker::v1::BLOCK_KIND_OPTIMIZER_STATE &&
        version.index() == index && version.size_bytes() >= least_bytes) {
      return host(version.offset_bytes(), version.size_bytes());
    }
  }
  return absl::InternalError(absl::StrCat("the task writes parameters ", index,
                                          ", and no state with room for ",
                                          least_bytes, " bytes of masters"));
}

// Moments are zero, masters as the model begins, and `parameters` made of them.
absl::Status FillWithMaster(const ParameterBlock& block, const Source& source,
                            absl::Span<std::byte> parameters,
                            absl::Span<std::byte> state, TaskControl* control) {
  const int64_t moment_bytes =
      static_cast<int64_t>(state.size()) - block.gradient_bytes();
  std::memset(state.data(), 0, moment_bytes);
  const absl::Span<std::byte> master = state.subspan(moment_bytes);
  absl::Status filled =
      Fill(block, source, ElementType::kFloat32, master, control);
  if (!filled.ok()) return filled;
  RoundToBFloat16(reinterpret_cast<const float*>(master.data()),
                  block.element_count(),
                  reinterpret_cast<uint16_t*>(parameters.data()));
  return absl::OkStatus();
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
    if (!task.restore_dir().empty() && IsRestored(table, version.index())) {
      continue;
    }
    Source source;
    source.seed = spec.train().seed();
    if (is_pretrained && !block.is_adapter) {
      if (!checkpoint.has_value()) {
        auto opened = OpenCheckpoint(job, table);
        if (!opened.ok()) return opened.status();
        checkpoint = *std::move(opened);
      }
      source.checkpoint = &*checkpoint;
    }
    const absl::Span<std::byte> slot =
        host(version.offset_bytes(), block.size_bytes);
    absl::Status filled;
    if (block.has_master()) {
      const auto state =
          StateSlot(task, version.index(), block.gradient_bytes(), host);
      if (!state.ok()) return state.status();
      filled = FillWithMaster(block, source, slot, *state, control);
      filled_bytes += static_cast<int64_t>(state->size());
    } else {
      filled = Fill(block, source, block.type, slot, control);
    }
    if (!filled.ok()) return filled;
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
  const auto restored = RunRestorePass(task, job, table, host, control);
  if (!restored.ok()) return restored.status();
  const auto filled = FillFromModel(task, job, table, host, control);
  if (!filled.ok() && !absl::IsAborted(filled.status()) &&
      !IsWithoutFileBroker(filled.status())) {
    // The checkpoint is not to blame.
    return absl::FailedPreconditionError(
        absl::StrCat("the base model: ", filled.status().message()));
  }
  if (!filled.ok()) return filled.status();
  return *restored + *filled;
}

}  // namespace hydra
