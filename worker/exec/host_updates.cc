#include "worker/exec/host_updates.h"

#include <utility>

namespace hydra {
namespace {

// With so many versions noted, those that are made are forgotten.
constexpr size_t kManyVersions = 1024;

}  // namespace

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
