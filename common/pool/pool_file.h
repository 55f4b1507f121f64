#ifndef HYDRA_COMMON_POOL_POOL_FILE_H_
#define HYDRA_COMMON_POOL_POOL_FILE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/pool/host_memory.h"
#include "common/pool/instance_id.h"
#include "common/pool/pool_claim.h"
#include "common/pool/pool_header.h"

namespace hydra {

// The shared memory pool: one file that the daemon creates, or adopts from a
// daemon before it, and that every worker maps. A page with a header, then the
// bytes that slots are cut from. Who may touch which range when is the daemon's
// business, not this class's.
//
// An owner's lock on the file (whoever created or adopted it) lasts as long as
// the owner's process or object, whichever ends first, and so does a worker's,
// however the process ends. A child forked without exec shares both.
//
// Thread-safe: nothing but RemoveOnClose changes after construction; call that
// from one thread. The object owns its mapping: every span of it dies with it.
class PoolFile {
 public:
  struct CreateOptions {
    // The file; its directory must exist. On tmpfs (/dev/shm) the pool is
    // memory; anywhere else it is an ordinary file that the kernel caches.
    std::string path;

    // Of the whole file, header included.
    int64_t size_bytes = 0;

    // On tmpfs, what must stay available to everything else on the machine and
    // in the cgroup after the whole pool is allocated.
    int64_t memory_headroom_bytes = int64_t{256} << 20;

    HostMemoryPaths memory_paths;
  };

  // Creates the pool and allocates all of it, so that no later access can run
  // out of space; takes about as long as the kernel needs to find the pages.
  // The new file's mode is 0600. A pool left over by an owner that is gone is
  // replaced; workers that still map it keep their old memory until they close
  // it.
  //
  // After any failure this call's new file is gone; a left-over pool may be.
  //
  // INVALID_ARGUMENT: size_bytes leaves no room for a slot, or
  //   memory_headroom_bytes is negative.
  // ALREADY_EXISTS: a live daemon owns the file; nothing changed.
  // FAILED_PRECONDITION: a file is there that is not a pool; nothing changed.
  // RESOURCE_EXHAUSTED: the file system, the machine's memory or the cgroup
  //   has too little left.
  // Others: what the system said of the path (NOT_FOUND: no such directory).
  static absl::StatusOr<std::unique_ptr<PoolFile>> Create(
      const CreateOptions& options);

  struct AdoptOptions {
    // The file.
    std::string path;

    // What instance_id() of the earlier daemon's pool was.
    InstanceId expected;

    // Of the whole file, header included.
    int64_t size_bytes = 0;
  };

  // Takes over the pool of a daemon that is gone, bytes and workers included:
  // workers that have it open stay joined and need not open it again.
  //
  // After any failure the file is as it was.
  //
  // NOT_FOUND: no such file.
  // ALREADY_EXISTS: a live daemon owns the file.
  // FAILED_PRECONDITION: it is not a pool, is damaged, is another instance than
  //   `expected` or of another size than `size_bytes`, or not all of it is
  //   allocated any more.
  // UNAVAILABLE: other daemons kept creating and removing the file meanwhile.
  // Others: what the system said of the path.
  static absl::StatusOr<std::unique_ptr<PoolFile>> Adopt(
      const AdoptOptions& options);

  // Which pool is at `path`, whoever owns it.
  //
  // NOT_FOUND: no such file.
  // FAILED_PRECONDITION: not a pool, or damaged.
  // Others: what the system said of the path.
  static absl::StatusOr<InstanceId> InstanceAt(const std::string& path);

  // Maps the pool that the daemon owns at `path`.
  //
  // NOT_FOUND: no such file.
  // FAILED_PRECONDITION: not a pool, damaged, or another instance than
  //   `expected`: the daemon made a new pool since it told this worker.
  // Others: what the system said of the path.
  static absl::StatusOr<std::unique_ptr<PoolFile>> Open(
      const std::string& path, const InstanceId& expected);

  // Unmaps and unlocks; removes the file only after RemoveOnClose.
  ~PoolFile();

  PoolFile(const PoolFile&) = delete;
  PoolFile& operator=(const PoolFile&) = delete;

  const std::string& path() const { return path_; }
  const InstanceId& instance_id() const { return instance_id_; }

  // Slots lie in [data_offset, size_bytes) and count from the file's start.
  int64_t size_bytes() const { return size_bytes_; }
  int64_t data_offset() const { return data_offset_; }

  // Whether the pool is memory; if not, transfers may run at a disk's speed.
  bool is_tmpfs() const { return is_tmpfs_; }

  // The mapped bytes [offset, offset + bytes), which must lie in
  // [data_offset, size_bytes).
  absl::Span<std::byte> Range(int64_t offset, int64_t bytes) const;

  // Whether some process still has this pool open by Open.
  bool HasWorkers() const;

  // Keeps the pool's pages in memory, never swapped out, as long as this object
  // lives. Calling it again is harmless.
  //
  // After any failure nothing of it is locked.
  //
  // RESOURCE_EXHAUSTED: this process may not lock so much; the message has the
  //   limit and what to change.
  // Others: what the system said.
  absl::Status LockInMemory();

  // Makes the destructor remove the file. Only for its owner: the object that
  // Create or Adopt made.
  void RemoveOnClose();

 private:
  PoolFile(std::string path, UniqueFd fd, const PoolHeader& header,
           bool is_owner, std::byte* base);

  const std::string path_;
  const UniqueFd fd_;  // Carries the lock.
  const InstanceId instance_id_;
  const int64_t size_bytes_;
  const int64_t data_offset_;
  const bool is_tmpfs_;
  const bool is_owner_;
  std::byte* const base_;
  bool remove_on_close_ = false;
};

}  // namespace hydra

#endif  // HYDRA_COMMON_POOL_POOL_FILE_H_
