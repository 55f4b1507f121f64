#include "scheduler/storage/model_writer.h"

#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/block_layout.h"
#include "common/checkpoint/model_files.h"
#include "common/checkpoint/plain_file.h"
#include "common/checkpoint/staged_directory.h"
#include "common/file/file.h"
#include "common/file/file_access.h"
#include "common/file/held_directory.h"
#include "common/json/python_json.h"
#include "common/text/printable.h"
#include "glog/logging.h"
#include "google/protobuf/util/json_util.h"
#include "scheduler/storage/model_contents.h"

namespace hydra {
namespace {

constexpr char kGenerationConfig[] = "generation_config.json";

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
                                  const FileAccess& access,
                                  const HeldDirectory& directory) {
  const absl::StatusOr<std::string> text = ReadFileToCopy(
      absl::StrCat(request.model_dir, "/", kGenerationConfig), access);
  if (absl::IsNotFound(text.status())) return absl::OkStatus();
  absl::Status usable = text.status();
  if (IsWithoutFileBroker(usable)) return usable;
  if (usable.ok()) usable = StrictJson(*text).status();
  if (usable.ok()) {
    return WritePlainFile(directory, kGenerationConfig, *text).status();
  }
  LOG(WARNING) << Printable(absl::StrCat(request.directory, " will have no ",
                                         kGenerationConfig, ": ",
                                         usable.message()));
  return absl::OkStatus();
}

// What a checkpoint has not.
absl::Status WriteOtherFiles(const SaveRequest& request,
                             const FileAccess& access,
                             const HeldDirectory& directory) {
  const absl::Status status =
      WritePlainFile(directory, "hydra_job.json", JobJson(request)).status();
  // The model of adapters has its own.
  if (!status.ok() || request.writes_adapters()) return status;
  return CopyGenerationConfig(request, access, directory);
}

absl::Status Stopped(const SaveRequest& request) {
  return absl::UnavailableError(absl::StrCat(
      "stopped before all of ", request.directory, " was written"));
}

}  // namespace

absl::Status WriteModel(const PoolFile& pool, const SaveRequest& request,
                        const std::vector<std::string>& read_roots,
                        absl::FunctionRef<bool()> go_on) {
  if (!go_on()) return Stopped(request);
  // They only take room.
  const ModelContents contents = ContentsOf(request, pool, read_roots);
  if (absl::Status removed =
          RemoveLeftoversOf(request.directory, contents.writer);
      !removed.ok()) {
    LOG(WARNING) << "a leftover stays: " << Printable(removed.message());
  }
  absl::StatusOr<StagedDirectory> staged =
      StagedDirectory::Create(request.directory, contents.writer);
  if (!staged.ok()) return staged.status();
  absl::Status status = WriteModelFiles(
      contents, request.detail.spec().train(), staged->directory(),
      [&](size_t) { return go_on(); },
      /*sums=*/nullptr);
  if (absl::IsCancelled(status)) return Stopped(request);
  if (status.ok()) {
    status = WriteOtherFiles(request, contents.access, staged->directory());
  }
  if (!status.ok()) return status;
  // The checkpoints lie there too, so the directory cannot be exchanged.
  return staged->CommitFiles(
      request.merge_adapters ? kModelFile : ParametersFile(request.table));
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
