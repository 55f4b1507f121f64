#include "common/safetensors/writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/text/printable.h"

namespace hydra::safetensors {
namespace {

// Large enough for a disk's full speed, small beside what a kernel lets wait.
constexpr int64_t kWriteBackWindowBytes = 16 << 20;

// What would make the rename fail, once everything is written.
absl::Status CheckTarget(const HeldDirectory& directory,
                         const std::string& file_name) {
  struct stat facts;
  const bool is_directory =
      file_name.empty() || (fstatat(directory.fd().get(), file_name.c_str(),
                                    &facts, AT_SYMLINK_NOFOLLOW) == 0 &&
                            S_ISDIR(facts.st_mode));
  if (!is_directory) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(directory.PathOf(file_name), " is a directory, not a file"));
}

}  // namespace

Writer::Writer(HeldDirectory directory, std::string file_name,
               TensorTable table, int64_t file_bytes)
    : directory_(std::move(directory)),
      file_name_(std::move(file_name)),
      path_(directory_.PathOf(file_name_)),
      table_(std::move(table)),
      file_bytes_(file_bytes) {}

absl::StatusOr<std::unique_ptr<Writer>> Writer::Create(
    const std::string& path, const std::vector<TensorSpec>& tensors) {
  const SplitPath split(path);
  const auto directory = HeldDirectory::OpenFollowingLinks(split.folder);
  if (!directory.ok()) return directory.status();
  return Create(*directory, split.name, tensors);
}

absl::StatusOr<std::unique_ptr<Writer>> Writer::Create(
    const HeldDirectory& directory, const std::string& file_name,
    const std::vector<TensorSpec>& tensors,
    const std::map<std::string, std::string>& metadata) {
  absl::StatusOr<HeaderText> header = MakeHeaderText(tensors, metadata);
  if (!header.ok()) return header.status();
  absl::Status status = CheckTarget(directory, file_name);
  if (!status.ok()) return status;

  std::unique_ptr<Writer> writer(new Writer(
      directory, file_name, std::move(header->table), header->file_bytes));
  status = writer->CreateTemporary();
  if (status.ok()) status = writer->ReserveSpace();
  if (status.ok()) status = writer->WriteHeader(header->bytes);
  if (!status.ok()) return status;
  return writer;
}

Writer::~Writer() {
  if (temporary_name_.empty()) return;
  (void)directory_.Remove(temporary_name_);
}

absl::Status Writer::CreateTemporary() {
  static std::atomic<int64_t> last_number{0};
  // The name is taken only if a process that had this id was killed.
  while (true) {
    std::string name =
        absl::StrCat(".safetensors-", getpid(), "-", ++last_number, ".tmp");
    absl::StatusOr<UniqueFd> file = directory_.CreateFile(name);
    if (absl::IsAlreadyExists(file.status())) continue;
    if (!file.ok()) return file.status();
    file_ = *std::move(file);
    temporary_name_ = std::move(name);
    return absl::OkStatus();
  }
}

// Better now than after hours. The free space is compared first because taking
// more than there is would fill the disk for everybody until it fails.
absl::Status Writer::ReserveSpace() {
  struct statvfs disk;
  if (fstatvfs(file_.get(), &disk) == 0 && disk.f_blocks > 0 &&
      file_bytes_ / disk.f_frsize >= disk.f_bavail) {
    return absl::ResourceExhaustedError(absl::StrCat(
        path_, " needs ", file_bytes_, " B, its disk has ",
        static_cast<uint64_t>(disk.f_bavail) * disk.f_frsize, " B free"));
  }
  int result;
  do {
    result = fallocate(file_.get(), 0, 0, file_bytes_);
  } while (result != 0 && errno == EINTR);
  if (result == 0) return absl::OkStatus();
  if (errno == EOPNOTSUPP || errno == ENOSYS) return absl::OkStatus();
  return FileError(
      errno, absl::StrCat("cannot reserve ", file_bytes_, " B for ", path_));
}

absl::Status Writer::WriteHeader(absl::string_view header) {
  absl::Status status = WriteData(header.data(), header.size());
  SkipCompleteTensors();
  return status;
}

void Writer::SkipCompleteTensors() {
  while (current_ < table_.tensors().size() &&
         Current()->offset_bytes + Current()->size_bytes <= written_bytes_) {
    ++current_;
  }
}

const TensorInfo* Writer::Current() const {
  return current_ < table_.tensors().size() ? &table_.tensors()[current_]
                                            : nullptr;
}

absl::Status Writer::Fail(absl::Status status) {
  failure_ = status;
  return status;
}

absl::Status Writer::Append(absl::string_view tensor, const void* data,
                            int64_t bytes) {
  if (!failure_.ok()) return failure_;
  if (finished_) {
    return absl::FailedPreconditionError(
        absl::StrCat(path_, " is finished already"));
  }
  const TensorInfo* known = table_.Find(tensor);
  if (known != nullptr && known->size_bytes == 0 && bytes == 0) {
    return absl::OkStatus();
  }
  if (known == nullptr || known != Current()) {
    return absl::FailedPreconditionError(absl::StrCat(
        path_, ": data of tensor ", Quoted(tensor), ", but ",
        Current() == nullptr
            ? "all tensors are complete"
            : absl::StrCat("it is the turn of ", Quoted(Current()->name))));
  }
  const int64_t missing_bytes =
      known->offset_bytes + known->size_bytes - written_bytes_;
  if (bytes < 0 || bytes > missing_bytes) {
    return absl::OutOfRangeError(
        absl::StrCat(path_, ": tensor ", Quoted(tensor), " lacks ",
                     missing_bytes, " B, ", bytes, " B were given"));
  }
  absl::Status status = WriteData(data, bytes);
  if (!status.ok()) return Fail(std::move(status));
  SkipCompleteTensors();
  return absl::OkStatus();
}

absl::Status Writer::WriteData(const void* data, int64_t bytes) {
  const char* from = static_cast<const char*>(data);
  while (bytes > 0) {
    const int64_t piece_bytes = std::min(
        bytes, write_back_bytes_ + kWriteBackWindowBytes - written_bytes_);
    absl::Status status =
        WriteExactly(file_, path_, written_bytes_, piece_bytes, from);
    if (!status.ok()) return status;
    written_bytes_ += piece_bytes;
    from += piece_bytes;
    bytes -= piece_bytes;
    status = WriteBack();
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

// Sends each window to the disk as soon as it is full, and waits until the one
// before it is there.
absl::Status Writer::WriteBack() {
  if (written_bytes_ - write_back_bytes_ < kWriteBackWindowBytes) {
    return absl::OkStatus();
  }
  const int64_t begin = write_back_bytes_;
  write_back_bytes_ += kWriteBackWindowBytes;
  int result = sync_file_range(file_.get(), begin, kWriteBackWindowBytes,
                               SYNC_FILE_RANGE_WRITE);
  if (result == 0 && begin > 0) {
    result = sync_file_range(
        file_.get(), begin - kWriteBackWindowBytes, kWriteBackWindowBytes,
        SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
            SYNC_FILE_RANGE_WAIT_AFTER);
  }
  // Where the file system cannot do this, Finish() does it all.
  if (result == 0 || errno == ENOSYS || errno == EINVAL || errno == ESPIPE) {
    return absl::OkStatus();
  }
  // An error that was told here would not be told again when syncing.
  return FileError(errno, absl::StrCat("cannot write to the disk ",
                                       written_bytes_, " B of ", path_));
}

absl::Status Writer::Finish() {
  if (!failure_.ok()) return failure_;
  if (finished_) {
    return absl::FailedPreconditionError(
        absl::StrCat(path_, " is finished already"));
  }
  if (Current() != nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat(path_, " lacks ", file_bytes_ - written_bytes_,
                     " B, from tensor ", Quoted(Current()->name), " on"));
  }
  if (fsync(file_.get()) != 0) {
    return Fail(FileError(
        errno, absl::StrCat("cannot sync ", file_bytes_, " B of ", path_)));
  }
  absl::Status status =
      directory_.Rename(temporary_name_, directory_, file_name_);
  if (!status.ok()) return Fail(std::move(status));
  temporary_name_.clear();
  finished_ = true;
  status = directory_.Sync();
  return status.ok() ? status : Fail(std::move(status));
}

}  // namespace hydra::safetensors
