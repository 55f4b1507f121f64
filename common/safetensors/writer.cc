#include "common/safetensors/writer.h"

#include <fcntl.h>
#include <stdio.h>
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

// "a/b" is "b" in "a", "b" is "b" in ".".
std::pair<std::string, std::string> SplitPath(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {".", path};
  return {path.substr(0, slash == 0 ? 1 : slash), path.substr(slash + 1)};
}

// What would make the rename fail, once everything is written.
absl::Status CheckTarget(const UniqueFd& directory, const std::string& path,
                         const std::string& file_name) {
  struct stat facts;
  const bool is_directory =
      file_name.empty() || (fstatat(directory.get(), file_name.c_str(), &facts,
                                    AT_SYMLINK_NOFOLLOW) == 0 &&
                            S_ISDIR(facts.st_mode));
  if (!is_directory) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(path, " is a directory, not a file"));
}

}  // namespace

Writer::Writer(std::string path, UniqueFd directory, std::string file_name,
               TensorTable table, int64_t file_bytes)
    : path_(std::move(path)),
      directory_(std::move(directory)),
      file_name_(std::move(file_name)),
      table_(std::move(table)),
      file_bytes_(file_bytes) {}

absl::StatusOr<std::unique_ptr<Writer>> Writer::Create(
    const std::string& path, const std::vector<TensorSpec>& tensors,
    const std::map<std::string, std::string>& metadata) {
  absl::StatusOr<HeaderText> header = MakeHeaderText(tensors, metadata);
  if (!header.ok()) return header.status();
  auto [directory_path, file_name] = SplitPath(path);
  absl::StatusOr<UniqueFd> directory = OpenDirectory(directory_path);
  if (!directory.ok()) return directory.status();
  absl::Status status = CheckTarget(*directory, path, file_name);
  if (!status.ok()) return status;

  std::unique_ptr<Writer> writer(
      new Writer(path, *std::move(directory), std::move(file_name),
                 std::move(header->table), header->file_bytes));
  status = writer->CreateTemporary();
  if (status.ok()) status = writer->ReserveSpace();
  if (status.ok()) status = writer->WriteHeader(header->bytes);
  if (!status.ok()) return status;
  return writer;
}

Writer::~Writer() {
  if (temporary_name_.empty()) return;
  unlinkat(directory_.get(), temporary_name_.c_str(), 0);
}

absl::Status Writer::CreateTemporary() {
  static std::atomic<int64_t> last_number{0};
  // The name is taken only if a process that had this id was killed.
  while (true) {
    std::string name =
        absl::StrCat(".safetensors-", getpid(), "-", ++last_number, ".tmp");
    const int fd = openat(directory_.get(), name.c_str(),
                          O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0) {
      file_ = UniqueFd(fd);
      temporary_name_ = std::move(name);
      return absl::OkStatus();
    }
    if (errno != EEXIST) {
      return FileError(errno,
                       absl::StrCat("cannot create ", name, " for ", path_));
    }
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
  if (renameat(directory_.get(), temporary_name_.c_str(), directory_.get(),
               file_name_.c_str()) != 0) {
    return Fail(FileError(errno, absl::StrCat("cannot rename to ", path_)));
  }
  temporary_name_.clear();
  finished_ = true;
  if (fsync(directory_.get()) != 0) {
    return Fail(
        FileError(errno, absl::StrCat("cannot sync the directory of ", path_)));
  }
  return absl::OkStatus();
}

}  // namespace hydra::safetensors
