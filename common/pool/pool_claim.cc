#include "common/pool/pool_claim.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/pool/pool_header.h"
#include "glog/logging.h"

namespace hydra {
namespace {

constexpr int64_t kOwnerByte = 0;
constexpr int64_t kWorkerByte = 1;

constexpr int kOpenFlags = O_RDWR | O_CLOEXEC | O_NOFOLLOW;

// More than this many lost races for one path are no accident.
constexpr int kMaxRounds = 100;

struct flock LockOf(int16_t type, int64_t byte) {
  struct flock lock = {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = byte;
  lock.l_len = 1;
  return lock;
}

// False if another opening's lock is in the way.
absl::StatusOr<bool> TryLock(const std::string& path, const UniqueFd& fd,
                             int16_t type, int64_t byte) {
  struct flock lock = LockOf(type, byte);
  if (fcntl(fd.get(), F_OFD_SETLK, &lock) == 0) return true;
  if (errno == EAGAIN || errno == EACCES) return false;
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot lock pool ", path));
}

absl::Status OwnedError(const std::string& path, const UniqueFd& fd) {
  PoolHeader header = {};
  const bool known =
      pread(fd.get(), &header, sizeof(header), 0) == sizeof(header) &&
      CheckPoolHeader(header).ok();
  return absl::AlreadyExistsError(absl::StrCat(
      "pool ", path, " is owned by a live daemon (pid ",
      known ? absl::StrCat(header.owner_pid) : "not yet known", ")"));
}

absl::Status LockAsOwner(const std::string& path, const UniqueFd& fd) {
  const absl::StatusOr<bool> locked = TryLock(path, fd, F_WRLCK, kOwnerByte);
  if (!locked.ok()) return locked.status();
  return *locked ? absl::OkStatus() : OwnedError(path, fd);
}

bool BeginsAsAPool(const UniqueFd& fd) {
  PoolHeader header = {};
  return pread(fd.get(), &header, sizeof(header), 0) == sizeof(header) &&
         HasPoolMagic(header);
}

// A pool, or the empty file that a daemon which died very early leaves. What a
// mistyped path leads to must not be removed.
bool LooksLikeAPool(const UniqueFd& fd) {
  struct stat stat = {};
  if (fstat(fd.get(), &stat) != 0 || !S_ISREG(stat.st_mode)) return false;
  return stat.st_size == 0 || BeginsAsAPool(fd);
}

absl::Status CrowdedError(const std::string& path) {
  return absl::UnavailableError(absl::StrCat(
      "pool ", path, ": other daemons keep creating and removing it"));
}

// OK also if another daemon removed or replaced the file meanwhile.
absl::Status RemoveLeftOverPool(const std::string& path) {
  const UniqueFd fd(open(path.c_str(), kOpenFlags));
  if (!fd.is_open()) {
    if (errno == ENOENT) return absl::OkStatus();
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot open pool ", path));
  }
  if (!LooksLikeAPool(fd)) {
    return absl::FailedPreconditionError(
        absl::StrCat(path,
                     " is there already and is not a pool file; remove "
                     "it or configure another path for the pool"));
  }
  absl::Status locked = LockAsOwner(path, fd);
  if (!locked.ok()) return locked;
  if (IsFileAt(path, fd) && unlink(path.c_str()) != 0) {
    return absl::ErrnoToStatus(
        errno, absl::StrCat("cannot remove left-over pool ", path));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<UniqueFd> ClaimNewPool(const std::string& path) {
  for (int round = 0; round < kMaxRounds; ++round) {
    UniqueFd fd(open(path.c_str(), kOpenFlags | O_CREAT | O_EXCL, 0600));
    if (fd.is_open()) {
      absl::Status locked = LockAsOwner(path, fd);
      if (!locked.ok()) return locked;
      // Until it was locked, another daemon could take it for left over.
      if (IsFileAt(path, fd)) return fd;
      continue;
    }
    if (errno != EEXIST) {
      return absl::ErrnoToStatus(errno,
                                 absl::StrCat("cannot create pool ", path));
    }
    absl::Status removed = RemoveLeftOverPool(path);
    if (!removed.ok()) return removed;
  }
  return CrowdedError(path);
}

absl::StatusOr<UniqueFd> ClaimLeftOverPool(const std::string& path) {
  for (int round = 0; round < kMaxRounds; ++round) {
    UniqueFd fd(open(path.c_str(), kOpenFlags));
    if (!fd.is_open()) {
      return absl::ErrnoToStatus(errno,
                                 absl::StrCat("cannot open pool ", path));
    }
    // Before it is locked: an empty file may be a new pool's, and its daemon is
    // about to lock it.
    if (!BeginsAsAPool(fd)) {
      return absl::FailedPreconditionError(
          absl::StrCat(path, " is not a pool file"));
    }
    absl::Status locked = LockAsOwner(path, fd);
    if (!locked.ok()) return locked;
    // Until it was locked, another daemon could replace it.
    if (IsFileAt(path, fd)) return fd;
  }
  return CrowdedError(path);
}

absl::StatusOr<UniqueFd> JoinPool(const std::string& path) {
  UniqueFd fd(open(path.c_str(), kOpenFlags));
  if (!fd.is_open()) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot open pool ", path));
  }
  const absl::StatusOr<bool> locked = TryLock(path, fd, F_RDLCK, kWorkerByte);
  if (!locked.ok()) return locked.status();
  if (!*locked) {
    return absl::FailedPreconditionError(absl::StrCat(
        "pool ", path, " is locked by a program that is no Hydra worker"));
  }
  return fd;
}

bool PoolHasWorkers(const UniqueFd& fd) {
  struct flock lock = LockOf(F_WRLCK, kWorkerByte);
  PCHECK(fcntl(fd.get(), F_OFD_GETLK, &lock) == 0);
  return lock.l_type != F_UNLCK;
}

bool IsFileAt(const std::string& path, const UniqueFd& fd) {
  struct stat at_path = {};
  struct stat behind_fd = {};
  return lstat(path.c_str(), &at_path) == 0 &&
         fstat(fd.get(), &behind_fd) == 0 &&
         at_path.st_dev == behind_fd.st_dev &&
         at_path.st_ino == behind_fd.st_ino;
}

}  // namespace hydra
