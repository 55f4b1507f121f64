#include "worker/device/testing/late_device.h"

#include <algorithm>
#include <utility>

#include "c10/util/Exception.h"
#include "gtest/gtest.h"
#include "worker/device/check_copy.h"
#include "worker/device/copy_order.h"

namespace hydra {
namespace {

// As floats these are NaNs.
constexpr std::byte kPoison{0xff};

}  // namespace

LateDevice::LateDevice(std::unique_ptr<Device> base) : base_(std::move(base)) {
  arena().SetAwaitFree([this] { return FinishOldest(); });
}

LateDevice::~LateDevice() {
  arena().SetAwaitFree({});
  FinishAll();
}

Mark LateDevice::CopyToDevice(absl::Span<const std::byte> from,
                              const at::Tensor& to) {
  CheckCopy(to, from.size());
  const std::lock_guard<std::recursive_mutex> lock(mu_);
  Copy copy;
  copy.tensor = to;
  copy.from = from;
  const Mark mark = Enqueue(CopyLane::kPromote, std::move(copy));
  // What is to be read may be poisoned still, by a copy that comes before.
  Copy& newest = lane(CopyLane::kPromote).copies.back();
  if (newest.after == 0) newest.bytes.assign(from.begin(), from.end());
  base_->CopyToDevice(std::vector<std::byte>(from.size(), kPoison), to);
  return mark;
}

Mark LateDevice::CopyToHost(const at::Tensor& from, absl::Span<std::byte> to) {
  CheckCopy(from, to.size());
  const std::lock_guard<std::recursive_mutex> lock(mu_);
  Copy copy;
  copy.tensor = from;
  copy.to = to;
  copy.bytes.resize(to.size());
  base_->CopyToHost(from, absl::MakeSpan(copy.bytes));
  const Mark mark = Enqueue(CopyLane::kDemote, std::move(copy));
  // Copies that read it come first, and have to find what is there.
  const uint64_t after = lane(CopyLane::kDemote).copies.back().after;
  Finish(CopyLane::kPromote, after);
  std::fill(to.begin(), to.end(), kPoison);
  return mark;
}

void LateDevice::WaitFor(const Mark& mark) {
  const std::lock_guard<std::recursive_mutex> lock(mu_);
  Finish(mark.lane, mark.number);
}

bool LateDevice::IsDone(const Mark& mark) const {
  const std::lock_guard<std::recursive_mutex> lock(mu_);
  return lanes_[static_cast<int>(mark.lane)].done >= mark.number;
}

void LateDevice::Await(const Mark& mark) {
  const std::lock_guard<std::recursive_mutex> lock(mu_);
  FailIfAsked();
  Finish(mark.lane, mark.number);
}

void LateDevice::Synchronize() {
  const std::lock_guard<std::recursive_mutex> lock(mu_);
  FailIfAsked();
  FinishAll();
  base_->Synchronize();
}

void LateDevice::FailIfAsked() {
  if (!fails_next_copies_ || outstanding() == 0) return;
  fails_next_copies_ = false;
  for (Lane& lane : lanes_) {
    lane.done = lane.enqueued();
    lane.copies.clear();
  }
  TORCH_CHECK(false, "the device has failed");
}

int LateDevice::outstanding() const {
  const std::lock_guard<std::recursive_mutex> lock(mu_);
  return static_cast<int>(lanes_[0].copies.size() + lanes_[1].copies.size());
}

Mark LateDevice::Enqueue(CopyLane which, Copy copy) {
  const Lane& other = lane(Other(which));
  copy.after = NewestUse(other.copies, other.done, copy.host(),
                         [](const Copy& earlier) { return earlier.host(); });
  lane(which).copies.push_back(std::move(copy));
  return {which, lane(which).enqueued()};
}

void LateDevice::Finish(CopyLane which, uint64_t number) {
  Lane& mine = lane(which);
  while (mine.done < number && !mine.copies.empty()) {
    Finish(Other(which), mine.copies.front().after);
    Do(which, mine.copies.front());
    mine.copies.pop_front();
    ++mine.done;
  }
}

void LateDevice::FinishAll() {
  const std::lock_guard<std::recursive_mutex> lock(mu_);
  for (CopyLane which : {CopyLane::kPromote, CopyLane::kDemote}) {
    Finish(which, lane(which).enqueued());
  }
}

bool LateDevice::FinishOldest() {
  const std::lock_guard<std::recursive_mutex> lock(mu_);
  for (CopyLane which : {CopyLane::kDemote, CopyLane::kPromote}) {
    if (lane(which).copies.empty()) continue;
    Finish(which, lane(which).done + 1);
    return true;
  }
  return false;
}

void LateDevice::Do(CopyLane which, const Copy& copy) {
  std::vector<std::byte> now(copy.host().size());
  if (which == CopyLane::kPromote) {
    now.assign(copy.from.begin(), copy.from.end());
    base_->CopyToDevice(now, copy.tensor);
  } else {
    base_->CopyToHost(copy.tensor, absl::MakeSpan(now));
    std::copy(now.begin(), now.end(), copy.to.begin());
  }
  if (!copy.bytes.empty() && now != copy.bytes) {
    ADD_FAILURE() << "the source of a copy of " << now.size()
                  << " bytes changed before the copy was done";
  }
}

}  // namespace hydra
