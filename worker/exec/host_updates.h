#ifndef HYDRA_WORKER_EXEC_HOST_UPDATES_H_
#define HYDRA_WORKER_EXEC_HOST_UPDATES_H_

#include <cstdint>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "common/ids/ids.h"
#include "worker/exec/host_thread.h"

namespace hydra {

// The block versions that a thread of the host makes of gradients which come
// from the device, beside whatever the device computes next. Until one is made,
// nobody may read its slot or copy it to the device.
//
// One thread asks for updates; Await(after, last) is for any.
class HostUpdates {
 public:
  HostUpdates() = default;

  HostUpdates(const HostUpdates&) = delete;
  HostUpdates& operator=(const HostUpdates&) = delete;

  // Lets the thread do this, after all before.
  void Do(absl::AnyInvocable<void()> work);

  // The version is made once all is done that was given so far, behind the
  // number `after`.
  void Make(VersionId version, uint64_t after);
  bool IsMade(VersionId version);
  // Waits until it is made. Throws as HostThread::Await.
  void Await(VersionId version);

  // The number of what was given last.
  uint64_t newest() const { return newest_; }
  bool IsDone(uint64_t number) const { return thread_.IsDone(number); }
  // As HostThread::Await.
  void Await(uint64_t after, uint64_t last) { thread_.Await(after, last); }

 private:
  // The numbers of what makes a version, behind the first of these.
  struct Making {
    uint64_t after = 0;
    uint64_t last = 0;
  };

  // Those that are not known to be made, and when they are.
  absl::flat_hash_map<VersionId, Making> making_;
  uint64_t newest_ = 0;

  // Last: it ends first.
  HostThread thread_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_HOST_UPDATES_H_
