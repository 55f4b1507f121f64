#include "common/checkpoint/checkpoint_writer.h"

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/checkpoint/checkpoint_directory.h"
#include "common/checkpoint/manifest_file.h"
#include "common/checkpoint/staged_directory.h"
#include "common/failpoint/fail_point.h"
#include "common/file/held_directory.h"

namespace hydra {

using checkpoint::v1::FileSum;

absl::StatusOr<int64_t> WriteCheckpoint(
    const ModelContents& contents, checkpoint::v1::Manifest manifest,
    absl::FunctionRef<bool(size_t block)> written) {
  if (!ParseCheckpointDirectoryName(SplitPath(contents.directory).name)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "directory: ", contents.directory, " is not a checkpoint's name"));
  }
  absl::StatusOr<StagedDirectory> staged =
      StagedDirectory::Create(contents.directory, contents.writer);
  if (!staged.ok()) return staged.status();
  std::vector<FileSum> files;
  absl::Status status = WriteModelFiles(contents, manifest.spec().train(),
                                        staged->directory(), written, &files);
  if (!status.ok()) return status;

  manifest.set_format(kCheckpointFormat);
  *manifest.mutable_files() = {files.begin(), files.end()};
  const absl::StatusOr<int64_t> manifest_bytes =
      WriteManifest(staged->directory(), manifest);
  if (!manifest_bytes.ok()) return manifest_bytes.status();
  FailPoint("checkpoint.before_rename");
  status = staged->Commit();
  if (!status.ok()) return status;

  int64_t bytes = *manifest_bytes;
  for (const FileSum& file : files) bytes += file.bytes();
  return bytes;
}

}  // namespace hydra
