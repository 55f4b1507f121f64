#include "scheduler/service/model_writer.h"

#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/safetensors/writer.h"
#include "google/protobuf/util/json_util.h"
#include "scheduler/service/tokenizer_files.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;

absl::Status WriteText(const fs::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) {
    return absl::ResourceExhaustedError(
        absl::StrCat("cannot write ", path.string()));
  }
  return absl::OkStatus();
}

absl::Status WriteWeights(const PoolFile& pool, const SaveRequest& request) {
  std::vector<safetensors::TensorSpec> specs;
  for (const ParameterBlock& block : request.table.parameter_blocks) {
    for (const TensorEntry& tensor : block.tensors) {
      specs.push_back({tensor.name, safetensors::Dtype::kF32, tensor.shape});
    }
  }
  auto writer = safetensors::Writer::Create(
      absl::StrCat(request.output_path, "/model.safetensors"), specs);
  if (!writer.ok()) return writer.status();
  for (int i = 0; i < request.table.parameter_blocks.size(); ++i) {
    const Slot& slot = *request.parameters[i].slot;
    const absl::Span<std::byte> bytes = pool.Range(slot.offset, slot.bytes);
    for (const TensorEntry& tensor :
         request.table.parameter_blocks[i].tensors) {
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

absl::Status CopyTokenizer(const SaveRequest& request) {
  for (const char* name : kTokenizerFiles) {
    const fs::path from = fs::path(request.tokenizer_dir) / name;
    std::error_code error;
    if (!fs::is_regular_file(from, error)) continue;
    fs::copy_file(from, fs::path(request.output_path) / name,
                  fs::copy_options::overwrite_existing, error);
    if (error) {
      return absl::ResourceExhaustedError(
          absl::StrCat("cannot copy ", from.string(), ": ", error.message()));
    }
  }
  return absl::OkStatus();
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

}  // namespace

absl::Status WriteModel(const PoolFile& pool, const SaveRequest& request) {
  const fs::path directory = request.output_path;
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) {
    return absl::PermissionDeniedError(absl::StrCat(
        "cannot make ", request.output_path, ": ", error.message()));
  }
  absl::Status status =
      WriteText(directory / "config.json", request.model_config_json);
  if (status.ok()) status = CopyTokenizer(request);
  if (status.ok()) {
    status = WriteText(directory / "hydra_job.json", JobJson(request));
  }
  // Last: whoever finds the weights finds all of it.
  if (status.ok()) status = WriteWeights(pool, request);
  return status;
}

ModelWriter::ModelWriter(const PoolFile* pool, Done done)
    : pool_(pool), done_(std::move(done)), thread_([this] { Loop(); }) {}

ModelWriter::~ModelWriter() {
  {
    absl::MutexLock lock(&mu_);
    stopping_ = true;
  }
  thread_.join();
}

void ModelWriter::Write(const SaveRequest& request) {
  absl::MutexLock lock(&mu_);
  requests_.push_back(request);
}

void ModelWriter::Loop() {
  while (true) {
    SaveRequest request;
    {
      absl::MutexLock lock(&mu_);
      auto wake = [this]() ABSL_SHARED_LOCKS_REQUIRED(mu_) {
        return stopping_ || !requests_.empty();
      };
      mu_.Await(absl::Condition(&wake));
      if (stopping_) return;
      request = std::move(requests_.front());
      requests_.pop_front();
    }
    done_(request.job, WriteModel(*pool_, request));
  }
}

}  // namespace hydra
