#include "worker/exec/departures.h"

#include <utility>

namespace hydra {

void Departures::Add(VersionId version, const Mark& mark, int64_t bytes) {
  if (device_->IsDone(mark)) return;
  departures_.push_back({version, mark, bytes});
  bytes_ += bytes;
  newest_[version] = mark;
}

void Departures::WaitFor(VersionId version) {
  const auto found = newest_.find(version);
  if (found != newest_.end()) device_->WaitFor(found->second);
}

void Departures::Await(VersionId version) {
  const auto found = newest_.find(version);
  if (found != newest_.end()) device_->Await(found->second);
}

Mark Departures::NewestOf(VersionId version) const {
  const auto found = newest_.find(version);
  return found == newest_.end() ? Mark{CopyLane::kDemote, 0} : found->second;
}

void Departures::LimitTo(int64_t bytes) {
  while (Bytes() > bytes) {
    Departure& oldest = departures_[waited_];
    device_->WaitFor(oldest.mark);
    bytes_ -= std::exchange(oldest.bytes, 0);
    ++waited_;
  }
}

int64_t Departures::Bytes() {
  ForgetDone();
  return bytes_;
}

void Departures::ForgetOldest() {
  const Departure& oldest = departures_.front();
  bytes_ -= oldest.bytes;
  const auto found = newest_.find(oldest.version);
  if (found->second.number == oldest.mark.number) newest_.erase(found);
  departures_.pop_front();
  if (waited_ > 0) --waited_;
}

void Departures::ForgetDone() {
  while (!departures_.empty() && device_->IsDone(departures_.front().mark)) {
    ForgetOldest();
  }
}

}  // namespace hydra
