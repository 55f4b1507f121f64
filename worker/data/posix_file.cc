#include "worker/data/posix_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"

namespace hydra {

absl::Status ErrnoStatus(absl::string_view action, absl::string_view path) {
  return absl::ErrnoToStatus(errno, absl::StrCat(action, " ", path));
}

absl::StatusOr<PosixFile> PosixFile::Open(const std::string& path, int flags,
                                          mode_t mode) {
  UniqueFd fd(open(path.c_str(), flags | O_CLOEXEC, mode));
  if (!fd.is_open()) return ErrnoStatus("cannot open", path);
  return PosixFile(std::move(fd), path);
}

PosixFile::PosixFile(UniqueFd fd, std::string path)
    : fd_(std::move(fd)), path_(std::move(path)) {}

absl::StatusOr<int64_t> PosixFile::SizeBytes() const {
  struct stat info;
  if (fstat(fd_.get(), &info) != 0) return ErrnoStatus("cannot stat", path_);
  return info.st_size;
}

absl::StatusOr<int64_t> PosixFile::Read(absl::Span<char> buffer) {
  size_t done = 0;
  while (done < buffer.size()) {
    const ssize_t count =
        read(fd_.get(), buffer.data() + done, buffer.size() - done);
    if (count == 0) break;
    if (count > 0) {
      done += count;
    } else if (errno != EINTR) {
      return ErrnoStatus("cannot read", path_);
    }
  }
  return done;
}

absl::Status PosixFile::Write(absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(fd_.get(), bytes.data(), bytes.size());
    if (count >= 0) {
      bytes.remove_prefix(count);
    } else if (errno != EINTR) {
      return ErrnoStatus("cannot write", path_);
    }
  }
  return absl::OkStatus();
}

absl::Status PosixFile::WriteAt(absl::string_view bytes, int64_t offset_bytes) {
  while (!bytes.empty()) {
    const ssize_t count =
        pwrite(fd_.get(), bytes.data(), bytes.size(), offset_bytes);
    if (count >= 0) {
      bytes.remove_prefix(count);
      offset_bytes += count;
    } else if (errno != EINTR) {
      return ErrnoStatus("cannot write", path_);
    }
  }
  return absl::OkStatus();
}

absl::Status PosixFile::Truncate(int64_t size_bytes) {
  if (ftruncate(fd_.get(), size_bytes) != 0 ||
      lseek(fd_.get(), size_bytes, SEEK_SET) < 0) {
    return ErrnoStatus("cannot truncate", path_);
  }
  return absl::OkStatus();
}

// The free space is compared first because taking more than there is would fill
// the disk for everybody until it fails.
absl::Status PosixFile::Reserve(int64_t size_bytes) {
  struct statvfs disk;
  if (fstatvfs(fd_.get(), &disk) == 0 && disk.f_blocks > 0 &&
      static_cast<uint64_t>(size_bytes) / disk.f_frsize >= disk.f_bavail) {
    return absl::ResourceExhaustedError(absl::StrCat(
        path_, " needs ", size_bytes, " B, its disk has ",
        static_cast<uint64_t>(disk.f_bavail) * disk.f_frsize, " B free"));
  }
  while (fallocate(fd_.get(), FALLOC_FL_KEEP_SIZE, 0, size_bytes) != 0) {
    if (errno == EOPNOTSUPP || errno == ENOSYS) break;
    if (errno == EINTR) continue;
    return ErrnoStatus(absl::StrCat("cannot reserve ", size_bytes, " B for"),
                       path_);
  }
  return absl::OkStatus();
}

absl::Status PosixFile::Sync() {
  if (fsync(fd_.get()) != 0) return ErrnoStatus("cannot sync", path_);
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadWholeFile(const std::string& path) {
  absl::StatusOr<PosixFile> file = PosixFile::Open(path, O_RDONLY);
  if (!file.ok()) return file.status();
  constexpr int64_t kPieceBytes = 1 << 20;
  std::string content;
  while (true) {
    const size_t old_size = content.size();
    content.resize(old_size + kPieceBytes);
    const absl::StatusOr<int64_t> count =
        file->Read(absl::MakeSpan(content).subspan(old_size));
    if (!count.ok()) return count.status();
    content.resize(old_size + *count);
    if (*count < kPieceBytes) return content;
  }
}

}  // namespace hydra
