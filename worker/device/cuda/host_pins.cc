#include "worker/device/cuda/host_pins.h"

#include <algorithm>

#include "glog/logging.h"

namespace hydra {

HostPins::HostPins(CudaCalls* calls, absl::Span<std::byte> memory,
                   int64_t slab_bytes)
    : calls_(calls),
      memory_(memory),
      slab_bytes_(static_cast<size_t>(slab_bytes)),
      slabs_((memory.size() + slab_bytes_ - 1) / slab_bytes_, Slab::kNotUsed) {
  if (memory_.empty()) return;
  Pin(0);
  thread_ = std::thread([this] { Run(); });
}

HostPins::~HostPins() {
  if (memory_.empty()) return;
  {
    absl::MutexLock lock(&mu_);
    ending_ = true;
  }
  thread_.join();
  absl::MutexLock lock(&mu_);
  for (size_t i = 0; i < slabs_.size(); ++i) {
    // A device that failed unpins nothing; its process ends.
    if (slabs_[i] == Slab::kPinned) {
      calls_->UnregisterHost(SlabAt(i).data()).IgnoreError();
    }
  }
}

std::vector<absl::Span<const std::byte>> HostPins::Use(
    absl::Span<const std::byte> host) {
  if (host.empty()) return {};
  const std::byte* const end = memory_.data() + memory_.size();
  if (host.data() < memory_.data() || host.data() >= end) return {host};
  std::vector<absl::Span<const std::byte>> parts;
  absl::MutexLock lock(&mu_);
  while (!host.empty()) {
    const size_t offset = host.data() - memory_.data();
    const size_t index = offset / slab_bytes_;
    parts.push_back(
        host.first(std::min(host.size(), (index + 1) * slab_bytes_ - offset)));
    host.remove_prefix(parts.back().size());
    Ask(index);
  }
  return parts;
}

int64_t HostPins::pinned_bytes() const {
  absl::MutexLock lock(&mu_);
  return pinned_bytes_;
}

bool HostPins::IsIdle() const {
  absl::MutexLock lock(&mu_);
  return asked_.empty();
}

absl::Span<std::byte> HostPins::SlabAt(size_t index) const {
  return memory_.subspan(index * slab_bytes_, slab_bytes_);
}

void HostPins::Ask(size_t index) {
  if (refused_ || slabs_[index] != Slab::kNotUsed) return;
  slabs_[index] = Slab::kAsked;
  asked_.push_back(index);
}

void HostPins::Run() {
  const auto may_go_on = [this]() ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return ending_ || !asked_.empty();
  };
  while (true) {
    size_t index = 0;
    {
      absl::MutexLock lock(&mu_);
      mu_.Await(absl::Condition(&may_go_on));
      if (ending_) return;
      index = asked_.front();
    }
    Pin(index);
    absl::MutexLock lock(&mu_);
    if (!asked_.empty()) asked_.pop_front();
  }
}

void HostPins::Pin(size_t index) {
  const absl::Span<std::byte> slab = SlabAt(index);
  const absl::Status pinned = calls_->RegisterHost(slab);
  absl::MutexLock lock(&mu_);
  if (pinned.ok()) {
    slabs_[index] = Slab::kPinned;
    pinned_bytes_ += static_cast<int64_t>(slab.size());
    return;
  }
  refused_ = true;
  asked_.clear();
  LOG(WARNING) << pinned_bytes_ << " of the pool's " << memory_.size()
               << " bytes are pinned, and no more will be: " << pinned.message()
               << ". Copies between the pool and the device are slower. A pool "
                  "on tmpfs, such as /dev/shm, can be pinned";
}

}  // namespace hydra
