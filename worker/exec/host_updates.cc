#include "worker/exec/host_updates.h"

#include <utility>

#include "common/model/model_table.h"

namespace hydra {
namespace {

// With so many versions noted, those that are made are forgotten.
constexpr size_t kManyVersions = 1024;

}  // namespace

HostUpdates::HostUpdates(int64_t most_buffered_bytes)
    : most_buffered_bytes_(most_buffered_bytes) {}

HostUpdates::Buffer HostUpdates::Take(int64_t count) {
  const int64_t bytes = count * kFloatBytes;
  Memory memory;
  {
    absl::MutexLock lock(&mu_);
    const auto has_room = [this, bytes]() ABSL_SHARED_LOCKS_REQUIRED(mu_) {
      return taken_bytes_ == 0 || taken_bytes_ + bytes <= most_buffered_bytes_;
    };
    mu_.Await(absl::Condition(&has_room));
    taken_bytes_ += bytes;
    if (!free_.empty()) {
      memory = std::move(free_.back());
      free_.pop_back();
    }
  }
  if (memory.capacity < count) {
    memory = {std::unique_ptr<float[]>(new float[count]), count};
  }
  float* const floats = memory.floats.release();
  return Buffer(floats, [this, capacity = memory.capacity, bytes](float* own) {
    absl::MutexLock lock(&mu_);
    free_.push_back({std::unique_ptr<float[]>(own), capacity});
    taken_bytes_ -= bytes;
  });
}

void HostUpdates::Do(absl::AnyInvocable<void()> work) {
  newest_ = thread_.Do(std::move(work));
}

void HostUpdates::Make(VersionId version, uint64_t after) {
  if (making_.size() >= kManyVersions) {
    absl::erase_if(making_, [this](const auto& making) {
      return thread_.IsDone(making.second.last);
    });
  }
  making_[version] = {after, newest_};
}

bool HostUpdates::IsMade(VersionId version) {
  const auto found = making_.find(version);
  if (found == making_.end()) return true;
  return thread_.IsDone(found->second.last);
}

void HostUpdates::Await(VersionId version) {
  const auto found = making_.find(version);
  if (found == making_.end()) return;
  thread_.Await(found->second.after, found->second.last);
  making_.erase(found);
}

}  // namespace hydra
