#include "worker/data/prepared_examples.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "glog/logging.h"
#include "worker/data/unfinished_files.h"

namespace hydra {
namespace {

absl::StatusOr<ExampleFile> OpenChecked(const std::string& path,
                                        TaskControl& control) {
  absl::StatusOr<ExampleFile> file = ExampleFile::Open(path);
  if (!file.ok()) return file;
  const absl::Status checked = file->CheckContent(control);
  if (!checked.ok()) return checked;
  return file;
}

}  // namespace

ExampleWriter::ExampleWriter(ExampleHeader header, PosixFile* file)
    : file_(*file), header_(std::move(header)) {
  header_.example_count = 0;
}

absl::Status ExampleWriter::Begin(int64_t example_count) {
  absl::Status status = file_.Truncate(ExampleHeader::kBytes);
  if (!status.ok()) return status;
  status = file_.Reserve(header_.first_example() +
                         example_count * header_.example_bytes());
  if (!status.ok()) return status;
  const absl::string_view values(
      reinterpret_cast<const char*>(header_.values.data()),
      header_.values.size() * sizeof(float));
  sha_.Update(values);
  return file_.Write(values);
}

absl::Status ExampleWriter::Append(absl::string_view records, int64_t count) {
  CHECK_EQ(static_cast<int64_t>(records.size()), count * example_bytes());
  sha_.Update(records);
  header_.example_count += count;
  return file_.Write(records);
}

absl::Status ExampleWriter::Finish() {
  header_.content_hash = sha_.Finish();
  const absl::Status written = file_.WriteAt(EncodeExampleHeader(header_), 0);
  return written.ok() ? file_.Sync() : written;
}

absl::StatusOr<PreparedExamples> FindOrMakeExamples(
    const std::string& cache_dir, absl::string_view key, TaskControl& control,
    absl::FunctionRef<absl::Status(PosixFile&)> make) {
  std::error_code error;
  std::filesystem::create_directories(cache_dir, error);
  if (error) {
    return absl::ErrnoToStatus(error.value(),
                               absl::StrCat("cannot create ", cache_dir));
  }
  PreparedExamples prepared;
  prepared.path = absl::StrCat(cache_dir, "/", key, ".examples");
  absl::StatusOr<ExampleFile> file = OpenChecked(prepared.path, control);
  prepared.reused = file.ok();
  if (absl::IsNotFound(file.status()) || absl::IsDataLoss(file.status())) {
    if (absl::IsDataLoss(file.status())) {
      LOG(WARNING) << file.status().message() << "; making it anew";
    }
    RemoveAbandoned(cache_dir, absl::Now() - kKeepUnfinished);
    const absl::StatusOr<bool> made = MakeWholeFile(
        prepared.path, control,
        [&] { return OpenChecked(prepared.path, control).ok(); }, make);
    if (!made.ok()) return made.status();
    prepared.reused = !*made;
    file = ExampleFile::Open(prepared.path);
  }
  if (!file.ok()) return file.status();
  prepared.example_count = file->example_count();
  return prepared;
}

}  // namespace hydra
