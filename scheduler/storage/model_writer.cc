#include "scheduler/storage/model_writer.h"

#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/plain_file.h"
#include "common/checkpoint/staged_directory.h"
#include "common/file/file.h"
#include "common/file/held_directory.h"
#include "common/json/python_json.h"
#include "common/safetensors/writer.h"
#include "common/text/printable.h"
#include "glog/logging.h"
#include "google/protobuf/util/json_util.h"
#include "scheduler/storage/tokenizer_files.h"

namespace hydra {
namespace {

constexpr char kWeights[] = "model.safetensors";
constexpr char kGenerationConfig[] = "generation_config.json";

absl::Status WriteWeights(const PoolFile& pool, const SaveRequest& request,
                          const HeldDirectory& directory,
                          absl::FunctionRef<bool()> go_on) {
  std::vector<safetensors::TensorSpec> specs;
  for (const ParameterBlock& block : request.table.parameter_blocks) {
    for (const TensorEntry& tensor : block.tensors) {
      specs.push_back({tensor.name, safetensors::Dtype::kF32, tensor.shape});
    }
  }
  auto writer = safetensors::Writer::Create(directory, kWeights, specs);
  if (!writer.ok()) return writer.status();
  for (int i = 0; i < request.table.parameter_blocks.size(); ++i) {
    const Slot& slot = *request.parameters[i].slot;
    const absl::Span<std::byte> bytes = pool.Range(slot.offset, slot.bytes);
    for (const TensorEntry& tensor :
         request.table.parameter_blocks[i].tensors) {
      if (!go_on()) {
        return absl::UnavailableError(absl::StrCat("stopped before tensor ",
                                                   tensor.name, " of ",
                                                   request.output_path));
      }
      if (absl::Status status =
              (*writer)->Append(tensor.name, bytes.data() + tensor.offset_bytes,
                                tensor.element_count * kFloatBytes);
          !status.ok()) {
        return status;
      }
    }
  }
  return (*writer)->Finish();
}

std::string JobJson(const SaveRequest& request) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.preserve_proto_field_names = true;
  std::string text;
  // A proto that the core filled always has a JSON form.
  (void)google::protobuf::util::MessageToJsonString(request.detail, &text,
                                                    options);
  return text;
}

// What transformers generates text by. It opens no model where this is there
// and is no JSON.
absl::Status CopyGenerationConfig(const SaveRequest& request,
                                  const std::vector<std::string>& real_roots,
                                  const HeldDirectory& directory) {
  const absl::StatusOr<std::string> text =
      ReadFileToCopy(request.model_dir, kGenerationConfig, real_roots);
  if (absl::IsNotFound(text.status())) return absl::OkStatus();
  absl::Status usable = text.status();
  if (usable.ok()) usable = StrictJson(*text).status();
  if (usable.ok()) {
    return WritePlainFile(directory, kGenerationConfig, *text).status();
  }
  LOG(WARNING) << Printable(absl::StrCat(request.output_path, " will have no ",
                                         kGenerationConfig, ": ",
                                         usable.message()));
  return absl::OkStatus();
}

absl::Status WriteOtherFiles(const SaveRequest& request,
                             const std::vector<std::string>& read_roots,
                             const HeldDirectory& directory) {
  absl::Status status =
      WritePlainFile(directory, "config.json", request.model_config_json)
          .status();
  status.Update(
      WritePlainFile(directory, "hydra_job.json", JobJson(request)).status());
  const std::vector<std::string> real_roots = RealRoots(read_roots);
  if (status.ok()) {
    status = CopyGenerationConfig(request, real_roots, directory);
  }
  if (!status.ok()) return status;
  return CopyPlainFiles(
             directory,
             {std::begin(kTokenizerFiles), std::end(kTokenizerFiles)},
             request.tokenizer_dir, real_roots)
      .status();
}

}  // namespace

absl::Status WriteModel(const PoolFile& pool, const SaveRequest& request,
                        const std::vector<std::string>& read_roots,
                        absl::FunctionRef<bool()> go_on) {
  // They only take room.
  if (absl::Status removed = RemoveLeftoversOf(request.output_path);
      !removed.ok()) {
    LOG(WARNING) << "a leftover stays: " << Printable(removed.message());
  }
  absl::StatusOr<StagedDirectory> staged =
      StagedDirectory::Create(request.output_path);
  if (!staged.ok()) return staged.status();
  absl::Status status = WriteWeights(pool, request, staged->directory(), go_on);
  if (status.ok()) {
    status = WriteOtherFiles(request, read_roots, staged->directory());
  }
  if (!status.ok()) return status;
  // The checkpoints lie there too, so the directory cannot be exchanged.
  return staged->CommitFiles(kWeights);
}

ModelWriter::ModelWriter(const PoolFile* pool,
                         std::vector<std::string> read_roots, Complete complete,
                         Done done)
    : pool_(pool),
      read_roots_(std::move(read_roots)),
      complete_(std::move(complete)),
      done_(std::move(done)) {}

ModelWriter::~ModelWriter() { Stop(); }

void ModelWriter::Write(const SaveRequest& request) {
  thread_.Add([this, request = request]() mutable {
    complete_(request.job, request.detail);
    done_(request.job, WriteModel(*pool_, request, read_roots_,
                                  [this] { return !stopping_; }));
  });
}

void ModelWriter::Stop() {
  stopping_ = true;
  thread_.Stop();
}

}  // namespace hydra
