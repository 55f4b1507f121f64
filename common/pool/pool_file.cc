#include "common/pool/pool_file.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/pool/memory_lock.h"
#include "glog/logging.h"

namespace hydra {
namespace {

// The smallest slot there is.
constexpr int64_t kMinDataBytes = 64;

// A signal makes the kernel undo the call that it interrupts, so what one call
// allocates is kept small enough to get done between two signals.
constexpr int64_t kAllocationStepBytes = int64_t{64} << 20;

bool IsTmpfs(const UniqueFd& fd) {
  struct statfs stat = {};
  return fstatfs(fd.get(), &stat) == 0 && stat.f_type == TMPFS_MAGIC;
}

absl::Status CheckOptions(const PoolFile::CreateOptions& options) {
  if (options.size_bytes < kPoolDataOffset + kMinDataBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "pool size is ", options.size_bytes, " B, the least that holds a slot ",
        "is ", kPoolDataOffset + kMinDataBytes, " B"));
  }
  if (options.memory_headroom_bytes < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("memory headroom is ", options.memory_headroom_bytes,
                     " B, it cannot be negative"));
  }
  return absl::OkStatus();
}

absl::Status Shortage(const PoolFile::CreateOptions& options,
                      absl::string_view what, int64_t available_bytes,
                      absl::string_view remedy) {
  return absl::ResourceExhaustedError(
      absl::StrCat("pool ", options.path, " needs ", options.size_bytes,
                   " B, but ", what, " has ", available_bytes,
                   " B available; configure a smaller pool, or ", remedy));
}

absl::Status CheckFileSystemSpace(const PoolFile::CreateOptions& options,
                                  const UniqueFd& fd) {
  struct statvfs stat = {};
  if (fstatvfs(fd.get(), &stat) != 0) {
    return absl::ErrnoToStatus(
        errno, absl::StrCat("cannot ask for the free space of ", options.path));
  }
  if (stat.f_blocks == 0) return absl::OkStatus();  // A tmpfs without a limit.
  const int64_t available_bytes =
      static_cast<int64_t>(stat.f_bavail) * stat.f_frsize;
  if (available_bytes >= options.size_bytes) return absl::OkStatus();
  return Shortage(options, "its file system", available_bytes,
                  "free space there, put the pool into another directory, or "
                  "enlarge that tmpfs (mount -o remount,size=; in a container "
                  "--shm-size)");
}

// Pages of a tmpfs are memory, so the kernel would rather kill a process than
// refuse one.
absl::Status CheckMemory(const PoolFile::CreateOptions& options) {
  const absl::StatusOr<int64_t> machine_bytes =
      MemAvailableBytes(options.memory_paths);
  if (!machine_bytes.ok()) return machine_bytes.status();
  const std::string beside =
      absl::StrCat(" (beside ", options.memory_headroom_bytes,
                   " B of headroom for all else)");
  const int64_t machine_left = *machine_bytes - options.memory_headroom_bytes;
  if (machine_left < options.size_bytes) {
    return Shortage(options, absl::StrCat("this machine's memory", beside),
                    std::max<int64_t>(0, machine_left),
                    "end other programs (MemAvailable of /proc/meminfo)");
  }
  const std::optional<int64_t> cgroup_bytes =
      CgroupAvailableBytes(options.memory_paths);
  if (!cgroup_bytes.has_value()) return absl::OkStatus();
  const int64_t cgroup_left = *cgroup_bytes - options.memory_headroom_bytes;
  if (cgroup_left < options.size_bytes) {
    return Shortage(options, absl::StrCat("the memory cgroup", beside),
                    std::max<int64_t>(0, cgroup_left),
                    "raise the memory limit of the container or service");
  }
  return absl::OkStatus();
}

absl::Status CheckSpace(const PoolFile::CreateOptions& options,
                        const UniqueFd& fd) {
  absl::Status space = CheckFileSystemSpace(options, fd);
  if (!space.ok() || !IsTmpfs(fd)) return space;
  return CheckMemory(options);
}

absl::Status WriteHeader(const std::string& path, const UniqueFd& fd,
                         const PoolHeader& header) {
  if (pwrite(fd.get(), &header, sizeof(header), 0) == sizeof(header)) {
    return absl::OkStatus();
  }
  return absl::ErrnoToStatus(
      errno, absl::StrCat("cannot write the header of pool ", path));
}

absl::Status Allocate(const std::string& path, const UniqueFd& fd,
                      int64_t size_bytes) {
  int64_t done_bytes = 0;
  while (done_bytes < size_bytes) {
    const int64_t step_bytes =
        std::min(kAllocationStepBytes, size_bytes - done_bytes);
    const int error = posix_fallocate(fd.get(), done_bytes, step_bytes);
    if (error == EINTR) continue;
    if (error != 0) {
      return absl::ErrnoToStatus(
          error, absl::StrCat("cannot allocate ", size_bytes, " B for pool ",
                              path, ", it went well up to ", done_bytes, " B"));
    }
    done_bytes += step_bytes;
  }
  return absl::OkStatus();
}

absl::StatusOr<PoolHeader> ReadHeader(const UniqueFd& fd) {
  PoolHeader header = {};
  if (pread(fd.get(), &header, sizeof(header), 0) != sizeof(header)) {
    return absl::FailedPreconditionError("it is too short for a pool file");
  }
  absl::Status status = CheckPoolHeader(header);
  if (!status.ok()) return status;
  struct stat stat = {};
  if (fstat(fd.get(), &stat) != 0 || stat.st_size != header.total_bytes) {
    return absl::FailedPreconditionError(
        absl::StrCat("it has ", stat.st_size, " B, its header says ",
                     header.total_bytes, " B"));
  }
  return header;
}

absl::StatusOr<PoolHeader> ReadHeaderOf(const std::string& path,
                                        const UniqueFd& fd,
                                        const InstanceId& expected) {
  const absl::StatusOr<PoolHeader> header = ReadHeader(fd);
  if (!header.ok()) {
    return absl::Status(
        header.status().code(),
        absl::StrCat("pool ", path, ": ", header.status().message()));
  }
  if (header->instance_id != expected) {
    return absl::FailedPreconditionError(absl::StrCat(
        "pool ", path, " is instance ", header->instance_id.ToHex(),
        ", expected ", expected.ToHex()));
  }
  return header;
}

// A page that was given back has lost its bytes, and touching it kills the
// process if no memory is left for a new one.
absl::Status CheckAllocated(const std::string& path, const UniqueFd& fd,
                            int64_t size_bytes) {
  constexpr int64_t kBlockBytes = 512;  // Of st_blocks, on every file system.
  struct stat stat = {};
  if (fstat(fd.get(), &stat) != 0) {
    return absl::ErrnoToStatus(
        errno, absl::StrCat("cannot ask for the size of pool ", path));
  }
  const int64_t allocated_bytes = stat.st_blocks * kBlockBytes;
  if (allocated_bytes >= size_bytes) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("pool ", path, " has ", size_bytes, " B, but only ",
                   allocated_bytes, " B of them are still allocated"));
}

absl::StatusOr<std::byte*> Map(const std::string& path, const UniqueFd& fd,
                               int64_t size_bytes) {
  void* base = mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
                    fd.get(), 0);
  if (base == MAP_FAILED) {
    return absl::ErrnoToStatus(
        errno,
        absl::StrCat("cannot map the ", size_bytes, " B of pool ", path));
  }
  return static_cast<std::byte*>(base);
}

}  // namespace

absl::StatusOr<std::unique_ptr<PoolFile>> PoolFile::Create(
    const CreateOptions& options) {
  absl::Status status = CheckOptions(options);
  if (!status.ok()) return status;
  absl::StatusOr<UniqueFd> fd = ClaimNewPool(options.path);
  if (!fd.ok()) return fd.status();
  absl::Cleanup remove_file = [&] { unlink(options.path.c_str()); };

  status = CheckSpace(options, *fd);
  if (!status.ok()) return status;
  // Before the allocation: a pool left half-way is known for what it is.
  const PoolHeader header =
      MakePoolHeader(InstanceId::Random(), options.size_bytes, getpid());
  status = WriteHeader(options.path, *fd, header);
  if (!status.ok()) return status;
  status = Allocate(options.path, *fd, options.size_bytes);
  if (!status.ok()) return status;
  const absl::StatusOr<std::byte*> base =
      Map(options.path, *fd, options.size_bytes);
  if (!base.ok()) return base.status();
  std::move(remove_file).Cancel();
  return absl::WrapUnique(new PoolFile(options.path, *std::move(fd), header,
                                       /*is_owner=*/true, *base));
}

absl::StatusOr<std::unique_ptr<PoolFile>> PoolFile::Adopt(
    const AdoptOptions& options) {
  absl::StatusOr<UniqueFd> fd = ClaimLeftOverPool(options.path);
  if (!fd.ok()) return fd.status();
  const absl::StatusOr<PoolHeader> header =
      ReadHeaderOf(options.path, *fd, options.expected);
  if (!header.ok()) return header.status();
  if (header->total_bytes != options.size_bytes) {
    return absl::FailedPreconditionError(
        absl::StrCat("pool ", options.path, " has ", header->total_bytes,
                     " B, configured are ", options.size_bytes, " B"));
  }
  absl::Status allocated =
      CheckAllocated(options.path, *fd, options.size_bytes);
  if (!allocated.ok()) return allocated;
  const absl::StatusOr<std::byte*> base =
      Map(options.path, *fd, options.size_bytes);
  if (!base.ok()) return base.status();
  // Last, and through the mapping, where writing cannot fail.
  reinterpret_cast<PoolHeader*>(*base)->owner_pid = getpid();
  return absl::WrapUnique(new PoolFile(options.path, *std::move(fd), *header,
                                       /*is_owner=*/true, *base));
}

absl::StatusOr<InstanceId> PoolFile::InstanceAt(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd.is_open()) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot open pool ", path));
  }
  const absl::StatusOr<PoolHeader> header = ReadHeader(fd);
  if (!header.ok()) {
    return absl::Status(
        header.status().code(),
        absl::StrCat("pool ", path, ": ", header.status().message()));
  }
  return header->instance_id;
}

absl::StatusOr<std::unique_ptr<PoolFile>> PoolFile::Open(
    const std::string& path, const InstanceId& expected) {
  absl::StatusOr<UniqueFd> fd = JoinPool(path);
  if (!fd.ok()) return fd.status();
  const absl::StatusOr<PoolHeader> header = ReadHeaderOf(path, *fd, expected);
  if (!header.ok()) return header.status();
  const absl::StatusOr<std::byte*> base = Map(path, *fd, header->total_bytes);
  if (!base.ok()) return base.status();
  return absl::WrapUnique(new PoolFile(path, *std::move(fd), *header,
                                       /*is_owner=*/false, *base));
}

PoolFile::PoolFile(std::string path, UniqueFd fd, const PoolHeader& header,
                   bool is_owner, std::byte* base)
    : path_(std::move(path)),
      fd_(std::move(fd)),
      instance_id_(header.instance_id),
      size_bytes_(header.total_bytes),
      data_offset_(header.data_offset),
      is_tmpfs_(IsTmpfs(fd_)),
      is_owner_(is_owner),
      base_(base) {}

PoolFile::~PoolFile() {
  PCHECK(munmap(base_, size_bytes_) == 0);
  if (remove_on_close_ && IsFileAt(path_, fd_)) unlink(path_.c_str());
}

absl::Span<std::byte> PoolFile::Range(int64_t offset, int64_t bytes) const {
  CHECK_GE(offset, data_offset_) << "of pool " << path_;
  CHECK_LE(offset, size_bytes_) << "of pool " << path_;
  CHECK_GE(bytes, 0) << "at " << offset << " of pool " << path_;
  CHECK_LE(bytes, size_bytes_ - offset)
      << "at " << offset << " of pool " << path_;
  return absl::MakeSpan(base_ + offset, bytes);
}

bool PoolFile::HasWorkers() const { return PoolHasWorkers(fd_); }

absl::Status PoolFile::LockInMemory() {
  const absl::Status locked = LockMemory(base_, size_bytes_);
  if (locked.ok()) return locked;
  return absl::Status(locked.code(),
                      absl::StrCat("pool ", path_, ": ", locked.message()));
}

void PoolFile::RemoveOnClose() {
  CHECK(is_owner_) << "only its owner removes pool " << path_;
  remove_on_close_ = true;
}

}  // namespace hydra
