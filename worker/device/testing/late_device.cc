#include "worker/device/testing/late_device.h"

#include <algorithm>
#include <utility>

#include "c10/util/Exception.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

// As floats these are NaNs.
constexpr std::byte kPoison{0xff};

bool Overlap(absl::Span<const std::byte> a, absl::Span<const std::byte> b) {
  return a.data() < b.data() + b.size() && b.data() < a.data() + a.size();
}

}  // namespace

LateDevice::LateDevice(std::unique_ptr<Device> base) : base_(std::move(base)) {}

LateDevice::~LateDevice() { Finish(); }

void LateDevice::CopyToDevice(absl::Span<const std::byte> from,
                              const at::Tensor& to) {
  FinishIf([&](const Copy& copy) { return Overlap(copy.to, from); });
  base_->CopyToDevice(from, to);
  copies_.push_back({from, {}, {from.begin(), from.end()}});
}

void LateDevice::CopyToHost(const at::Tensor& from, absl::Span<std::byte> to) {
  FinishIf([&](const Copy& copy) {
    return Overlap(copy.to, to) || Overlap(copy.from, to);
  });
  std::vector<std::byte> bytes(to.size());
  base_->CopyToHost(from, absl::MakeSpan(bytes));
  std::fill(to.begin(), to.end(), kPoison);
  copies_.push_back({{}, to, std::move(bytes)});
}

void LateDevice::Synchronize() {
  if (fails_next_copies_ && !copies_.empty()) {
    fails_next_copies_ = false;
    copies_.clear();
    TORCH_CHECK(false, "the device has failed");
  }
  Finish();
  base_->Synchronize();
}

void LateDevice::Finish() {
  for (const Copy& copy : copies_) {
    std::copy_n(copy.bytes.begin(), copy.to.size(), copy.to.begin());
    if (!std::equal(copy.from.begin(), copy.from.end(), copy.bytes.begin())) {
      ADD_FAILURE() << "the source of a copy of " << copy.bytes.size()
                    << " bytes to the device changed before the copy was done";
    }
  }
  copies_.clear();
}

void LateDevice::FinishIf(absl::FunctionRef<bool(const Copy&)> concerns) {
  if (std::any_of(copies_.begin(), copies_.end(), concerns)) Finish();
}

}  // namespace hydra
