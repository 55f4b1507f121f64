#include "common/pool/slot_allocator.h"

#include <algorithm>
#include <iterator>
#include <map>

#include "glog/logging.h"

namespace hydra {
namespace {

int64_t RoundDown(int64_t value, int64_t alignment) {
  return value & ~(alignment - 1);
}

int64_t RoundUp(int64_t value, int64_t alignment) {
  return RoundDown(value + alignment - 1, alignment);
}

}  // namespace

SlotAllocator::SlotAllocator(int64_t begin, int64_t end, int64_t alignment)
    : alignment_(alignment),
      begin_(RoundUp(begin, alignment)),
      end_(std::max(begin_, RoundDown(end, alignment))) {
  CHECK_GT(alignment, 0);
  CHECK_EQ(alignment & (alignment - 1), 0) << "not a power of two";
  CHECK_GE(begin, 0);
  CHECK_GE(end, begin);
  if (begin_ < end_) AddFree(begin_, end_ - begin_);
}

std::optional<Slot> SlotAllocator::Allocate(int64_t bytes) {
  CHECK_GT(bytes, 0);
  if (bytes > largest_free_bytes()) return std::nullopt;
  const int64_t needed = Aligned(bytes);
  const auto [found, offset] = *free_by_bytes_.lower_bound({needed, 0});
  const Slot slot = {offset, bytes};
  TakeFrom({offset, found}, slot);
  return slot;
}

std::optional<Slot> SlotAllocator::AllocateHigh(int64_t bytes) {
  CHECK_GT(bytes, 0);
  if (bytes > largest_free_bytes()) return std::nullopt;
  const int64_t needed = Aligned(bytes);
  auto range = free_by_offset_.rbegin();
  while (range->second < needed) ++range;
  const auto [offset, free] = *range;
  const Slot slot = {offset + free - needed, bytes};
  TakeFrom({offset, free}, slot);
  return slot;
}

bool SlotAllocator::AllocateAt(const Slot& slot) {
  const bool is_inside = slot.offset >= begin_ && slot.bytes > 0 &&
                         slot.bytes <= end_ - slot.offset;
  if (!is_inside || slot.offset % alignment_ != 0) return false;
  const auto after = free_by_offset_.upper_bound(slot.offset);
  if (after == free_by_offset_.begin()) return false;
  const auto before = std::prev(after);
  const Slot range = {before->first, before->second};
  if (slot.offset + slot.bytes > range.offset + range.bytes) return false;
  TakeFrom(range, slot);
  return true;
}

void SlotAllocator::Free(const Slot& slot) {
  const auto it = slots_.find(slot.offset);
  CHECK(it != slots_.end() && it->second == slot.bytes)
      << "slot " << slot << " is not given out";
  slots_.erase(it);
  int64_t offset = slot.offset;
  int64_t bytes = Aligned(slot.bytes);
  used_bytes_ -= bytes;

  // Ranges are copied out: removing one moves the others within the tree.
  const auto after = free_by_offset_.lower_bound(offset);
  std::optional<Slot> left;
  std::optional<Slot> right;
  if (after != free_by_offset_.begin()) {
    const auto before = std::prev(after);
    left = Slot{before->first, before->second};
  }
  if (after != free_by_offset_.end()) right = Slot{after->first, after->second};

  if (right.has_value() && offset + bytes == right->offset) {
    RemoveFree(right->offset, right->bytes);
    bytes += right->bytes;
  }
  if (left.has_value() && left->offset + left->bytes == offset) {
    RemoveFree(left->offset, left->bytes);
    offset = left->offset;
    bytes += left->bytes;
  }
  AddFree(offset, bytes);
}

int64_t SlotAllocator::largest_free_bytes() const {
  return free_by_bytes_.empty() ? 0 : free_by_bytes_.rbegin()->first;
}

void SlotAllocator::CheckInvariants() const {
  std::map<int64_t, int64_t> ranges = free_by_offset_;
  int64_t used_bytes = 0;
  for (const auto& [offset, bytes] : slots_) {
    CHECK_GT(bytes, 0) << "at " << offset;
    CHECK_EQ(offset % alignment_, 0);
    CHECK(ranges.emplace(offset, Aligned(bytes)).second)
        << "a slot and a free range at " << offset;
    used_bytes += Aligned(bytes);
  }
  CHECK_EQ(used_bytes, used_bytes_);

  int64_t covered_up_to = begin_;
  bool last_was_free = false;
  for (const auto& [offset, bytes] : ranges) {
    CHECK_EQ(offset, covered_up_to) << "gap or overlap";
    CHECK_GT(bytes, 0) << "at " << offset;
    const bool is_free = slots_.count(offset) == 0;
    CHECK(!(is_free && last_was_free)) << "free neighbours at " << offset;
    covered_up_to = offset + bytes;
    last_was_free = is_free;
  }
  CHECK_EQ(covered_up_to, end_);

  CHECK_EQ(free_by_bytes_.size(), free_by_offset_.size());
  for (const auto& [offset, bytes] : free_by_offset_) {
    CHECK(free_by_bytes_.count({bytes, offset}) == 1) << "at " << offset;
  }
}

int64_t SlotAllocator::Aligned(int64_t bytes) const {
  return RoundUp(bytes, alignment_);
}

void SlotAllocator::AddFree(int64_t offset, int64_t bytes) {
  free_by_offset_.emplace(offset, bytes);
  free_by_bytes_.emplace(bytes, offset);
}

void SlotAllocator::RemoveFree(int64_t offset, int64_t bytes) {
  free_by_offset_.erase(offset);
  free_by_bytes_.erase({bytes, offset});
}

void SlotAllocator::TakeFrom(const Slot& range, const Slot& slot) {
  const int64_t left_bytes = slot.offset - range.offset;
  const int64_t taken_bytes = Aligned(slot.bytes);
  const int64_t right_bytes = range.bytes - left_bytes - taken_bytes;
  RemoveFree(range.offset, range.bytes);
  if (left_bytes > 0) AddFree(range.offset, left_bytes);
  if (right_bytes > 0) AddFree(slot.offset + taken_bytes, right_bytes);
  slots_.emplace(slot.offset, slot.bytes);
  used_bytes_ += taken_bytes;
}

}  // namespace hydra
