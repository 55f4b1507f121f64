#include "worker/model/counting_allocator.h"

#include <algorithm>
#include <atomic>

#include "c10/core/Allocator.h"
#include "c10/core/CPUAllocator.h"

namespace hydra {
namespace {

std::atomic<int64_t> bytes_in_use{0};
std::atomic<int64_t> peak_used_bytes{0};

struct Allocation {
  c10::DataPtr data;
  int64_t bytes;
};

void Free(void* context) {
  auto* allocation = static_cast<Allocation*>(context);
  bytes_in_use -= allocation->bytes;
  delete allocation;
}

class Counting final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    auto* allocation =
        new Allocation{base_->allocate(bytes), static_cast<int64_t>(bytes)};
    const int64_t now = bytes_in_use += allocation->bytes;
    peak_used_bytes = std::max(peak_used_bytes.load(), now);
    return {allocation->data.get(), allocation, &Free, c10::kCPU};
  }

  void copy_data(void* to, const void* from, size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }

 private:
  c10::Allocator* const base_ = c10::GetDefaultCPUAllocator();
};

// A later registration needs no smaller priority than an earlier one.
constexpr uint8_t kPriority = 1;

}  // namespace

CountingAllocator::CountingAllocator() {
  static auto* const counting = new Counting;
  c10::SetCPUAllocator(counting, kPriority);
  Reset();
}

CountingAllocator::~CountingAllocator() {
  c10::SetCPUAllocator(c10::GetDefaultCPUAllocator(), kPriority);
}

int64_t CountingAllocator::used_bytes() const { return bytes_in_use; }

int64_t CountingAllocator::peak_bytes() const { return peak_used_bytes; }

void CountingAllocator::Reset() {
  bytes_in_use = 0;
  peak_used_bytes = 0;
}

}  // namespace hydra
