#include "scheduler/journal/testing/fault_vfs.h"

#include <cerrno>

namespace hydra {
namespace {

constexpr size_t kSectorBytes = 512;

}  // namespace

void FaultVfs::FailAt(int k, Duration duration, Error error) {
  calls_ = 0;
  failures_ = 0;
  first_failing_ = k;
  duration_ = duration;
  error_ = error;
}

void FaultVfs::Heal() { first_failing_ = std::numeric_limits<int>::max(); }

bool FaultVfs::NextFails() {
  ++calls_;
  const bool fails = duration_ == Duration::kOnce ? calls_ == first_failing_
                                                  : calls_ >= first_failing_;
  if (fails) {
    ++failures_;
    errno = error_ == Error::kNoRoom ? ENOSPC : EIO;
  }
  return fails;
}

int FaultVfs::CodeOr(int input_output_code) const {
  return error_ == Error::kNoRoom ? SQLITE_FULL : input_output_code;
}

int FaultVfs::BeforeOpen(const std::string&) {
  return NextFails() ? CodeOr(SQLITE_CANTOPEN) : SQLITE_OK;
}

int FaultVfs::Write(const std::string& path, sqlite3_file* real,
                    absl::string_view data, int64_t offset) {
  if (!NextFails()) return VfsShim::Write(path, real, data, offset);
  const size_t done = data.size() / 2 / kSectorBytes * kSectorBytes;
  VfsShim::Write(path, real, data.substr(0, done), offset);
  return CodeOr(SQLITE_IOERR_WRITE);
}

int FaultVfs::Truncate(const std::string& path, sqlite3_file* real,
                       int64_t size) {
  if (NextFails()) return CodeOr(SQLITE_IOERR_TRUNCATE);
  return VfsShim::Truncate(path, real, size);
}

int FaultVfs::Sync(const std::string& path, sqlite3_file* real, int flags) {
  if (NextFails()) return CodeOr(SQLITE_IOERR_FSYNC);
  return VfsShim::Sync(path, real, flags);
}

}  // namespace hydra
