#ifndef HYDRA_COMMON_POOL_SLOT_ALLOCATOR_H_
#define HYDRA_COMMON_POOL_SLOT_ALLOCATOR_H_

#include <cstdint>
#include <map>
#include <optional>
#include <ostream>
#include <set>
#include <unordered_map>
#include <utility>

namespace hydra {

// A range of the pool (or of a device's arena): its bytes [offset, offset +
// bytes).
struct Slot {
  int64_t offset = 0;
  int64_t bytes = 0;

  friend bool operator==(const Slot& a, const Slot& b) {
    return a.offset == b.offset && a.bytes == b.bytes;
  }
  friend std::ostream& operator<<(std::ostream& out, const Slot& slot) {
    return out << "[" << slot.offset << ", +" << slot.bytes << " B)";
  }
};

// Knows which ranges of a pool, or of a device's arena, are free, and gives
// them out as slots. Only bookkeeping: no byte of it is touched.
//
// Best fit: the smallest free range that is large enough, of equal ones the one
// with the lowest offset. Freed ranges join their free neighbours at once. So
// the same calls in the same order give the same slots.
//
// Not thread-safe. Allocate, AllocateAt and Free take logarithmic time. Sizes
// are bytes; a slot occupies its bytes rounded up to the alignment.
//
// Every aligned byte of [begin, end) is in exactly one slot or one free range,
// and no two free ranges touch.
class SlotAllocator {
 public:
  static constexpr int64_t kDefaultAlignment = 64;

  // Manages the aligned part of [begin, end). `alignment` is a power of two and
  // holds for offsets from the file's start.
  SlotAllocator(int64_t begin, int64_t end,
                int64_t alignment = kDefaultAlignment);

  // A slot of `bytes` > 0; none, and nothing changed, if no free range is large
  // enough.
  std::optional<Slot> Allocate(int64_t bytes);

  // The same, but at the end of the free range with the highest offset that is
  // large enough: what lives long is kept apart from what comes and goes.
  // Linear in the number of free ranges.
  std::optional<Slot> AllocateHigh(int64_t bytes);

  // Gives out exactly `slot`, to rebuild what another allocator had given out;
  // the order of the calls does not matter. False, and nothing changed, if its
  // offset is not aligned, it is empty, or any of it is outside or not free.
  bool AllocateAt(const Slot& slot);

  // Takes back a slot that was given out and that was not freed since; anything
  // else is a fatal error.
  void Free(const Slot& slot);

  // The two add up to what this manages.
  int64_t used_bytes() const { return used_bytes_; }
  int64_t free_bytes() const { return end_ - begin_ - used_bytes_; }

  // The most that one Allocate would get.
  int64_t largest_free_bytes() const;

  // Fatal unless what the class comment promises is true; linearithmic time.
  void CheckInvariants() const;

 private:
  using BytesAndOffset = std::pair<int64_t, int64_t>;

  int64_t Aligned(int64_t bytes) const;
  void AddFree(int64_t offset, int64_t bytes);
  void RemoveFree(int64_t offset, int64_t bytes);

  // Gives out `slot`, which lies in the free range `range`.
  void TakeFrom(const Slot& range, const Slot& slot);

  const int64_t alignment_;
  const int64_t begin_;
  const int64_t end_;

  // The free ranges twice: by offset to find neighbours, by size to fit.
  std::map<int64_t, int64_t> free_by_offset_;
  std::set<BytesAndOffset> free_by_bytes_;

  // Slots given out: offset to the bytes that were asked for.
  std::unordered_map<int64_t, int64_t> slots_;
  int64_t used_bytes_ = 0;
};

}  // namespace hydra

#endif  // HYDRA_COMMON_POOL_SLOT_ALLOCATOR_H_
