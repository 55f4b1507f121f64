#include "common/pool/slot_allocator.h"

#include <algorithm>
#include <optional>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace hydra {
namespace {

TEST(SlotAllocatorTest, StartsAllFreeFromTheFirstAlignedByte) {
  const SlotAllocator allocator(/*begin=*/100, /*end=*/1000);
  EXPECT_EQ(allocator.free_bytes(), 960 - 128);
  EXPECT_EQ(allocator.largest_free_bytes(), 960 - 128);
  EXPECT_EQ(allocator.used_bytes(), 0);
  allocator.CheckInvariants();
}

TEST(SlotAllocatorTest, ARangeWithoutAnAlignedPartIsEmpty) {
  SlotAllocator allocator(/*begin=*/65, /*end=*/127);
  EXPECT_EQ(allocator.free_bytes(), 0);
  EXPECT_EQ(allocator.Allocate(1), std::nullopt);
  allocator.CheckInvariants();
}

TEST(SlotAllocatorTest, ASlotTakesItsBytesRoundedUp) {
  SlotAllocator allocator(4096, 8192);
  EXPECT_EQ(allocator.Allocate(65), (Slot{4096, 65}));
  EXPECT_EQ(allocator.used_bytes(), 128);
  EXPECT_EQ(allocator.free_bytes(), 4096 - 128);
  EXPECT_EQ(allocator.Allocate(1)->offset, 4096 + 128);
}

TEST(SlotAllocatorTest, HonoursAnotherAlignment) {
  SlotAllocator allocator(64, 3 * 4096, /*alignment=*/4096);
  EXPECT_EQ(allocator.Allocate(1), (Slot{4096, 1}));
  EXPECT_EQ(allocator.Allocate(4096), (Slot{8192, 4096}));
  EXPECT_EQ(allocator.Allocate(1), std::nullopt);
}

TEST(SlotAllocatorTest, CanBeFilledToTheLastByte) {
  SlotAllocator allocator(0, 256);
  EXPECT_TRUE(allocator.Allocate(256).has_value());
  EXPECT_EQ(allocator.free_bytes(), 0);
  EXPECT_EQ(allocator.largest_free_bytes(), 0);
  EXPECT_EQ(allocator.Allocate(1), std::nullopt);
  allocator.CheckInvariants();
}

TEST(SlotAllocatorTest,
     HighOnesComeFromTheEndOfTheHighestRangeThatIsLongEnough) {
  SlotAllocator allocator(0, 1024);
  EXPECT_EQ(allocator.AllocateHigh(65), (Slot{1024 - 128, 65}));
  EXPECT_EQ(allocator.AllocateHigh(64), (Slot{1024 - 192, 64}));
  EXPECT_EQ(allocator.Allocate(64), (Slot{0, 64}));
  allocator.Free({1024 - 128, 65});
  EXPECT_EQ(allocator.AllocateHigh(256), (Slot{1024 - 192 - 256, 256}));
  EXPECT_EQ(allocator.AllocateHigh(128), (Slot{1024 - 128, 128}));
  EXPECT_EQ(allocator.AllocateHigh(1024), std::nullopt);
  allocator.CheckInvariants();
}

TEST(SlotAllocatorTest, ARefusalChangesNothing) {
  SlotAllocator allocator(0, 1024);
  ASSERT_TRUE(allocator.Allocate(512).has_value());
  EXPECT_EQ(allocator.Allocate(513), std::nullopt);
  EXPECT_EQ(allocator.Allocate(INT64_MAX), std::nullopt);
  EXPECT_EQ(allocator.free_bytes(), 512);
  EXPECT_TRUE(allocator.Allocate(512).has_value());
}

TEST(SlotAllocatorTest, PrefersTheSmallestRangeThenTheLowest) {
  SlotAllocator allocator(0, 64 * 100);
  const Slot large = *allocator.Allocate(64 * 3);
  ASSERT_TRUE(allocator.Allocate(64).has_value());
  const Slot low = *allocator.Allocate(64 * 2);
  ASSERT_TRUE(allocator.Allocate(64).has_value());
  const Slot high = *allocator.Allocate(64 * 2);
  ASSERT_TRUE(allocator.Allocate(64).has_value());
  allocator.Free(large);
  allocator.Free(high);
  allocator.Free(low);
  EXPECT_EQ(allocator.Allocate(65)->offset, low.offset);
  EXPECT_EQ(allocator.Allocate(65)->offset, high.offset);
  EXPECT_EQ(allocator.Allocate(65)->offset, large.offset);
}

TEST(SlotAllocatorTest, FreedNeighboursJoinWhateverTheirOrder) {
  std::vector<int> order = {0, 1, 2};
  do {
    SlotAllocator allocator(0, 64 * 4);
    std::vector<Slot> slots;
    for (int i = 0; i < 3; ++i) slots.push_back(*allocator.Allocate(64));
    ASSERT_TRUE(allocator.Allocate(64).has_value());
    for (int i : order) {
      allocator.Free(slots[i]);
      allocator.CheckInvariants();
    }
    EXPECT_EQ(allocator.largest_free_bytes(), 64 * 3);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(SlotAllocatorTest, TakesExactlyTheRangeItIsToldTo) {
  SlotAllocator allocator(4096, 8192);
  EXPECT_TRUE(allocator.AllocateAt({4096 + 640, 65}));
  allocator.CheckInvariants();
  EXPECT_EQ(allocator.used_bytes(), 128);
  EXPECT_TRUE(allocator.AllocateAt({4096, 64})) << "the first bytes";
  EXPECT_TRUE(allocator.AllocateAt({8192 - 64, 64})) << "the last bytes";
  EXPECT_TRUE(allocator.AllocateAt({4096 + 64, 576})) << "all of a free range";
  allocator.CheckInvariants();
  EXPECT_EQ(allocator.free_bytes(), 4096 - 768 - 64);
  EXPECT_EQ(allocator.largest_free_bytes(), allocator.free_bytes());
  allocator.Free({4096 + 640, 65});
  EXPECT_EQ(allocator.Allocate(64), (Slot{4096 + 640, 64}));
}

TEST(SlotAllocatorTest, AllocateAtRefusesWhatCannotBeASlotOfItsRange) {
  SlotAllocator allocator(4096, 8192);
  for (const Slot& slot : std::vector<Slot>{{4097, 64},
                                            {4096 + 32, 64},
                                            {4096, 0},
                                            {4096, -64},
                                            {4032, 64},
                                            {0, 8192},
                                            {-64, 64},
                                            {INT64_MIN, 64},
                                            {8192, 64},
                                            {8128, 65},
                                            {4096, 4097},
                                            {4160, INT64_MAX}}) {
    EXPECT_FALSE(allocator.AllocateAt(slot)) << slot;
  }
  EXPECT_EQ(allocator.used_bytes(), 0);
  EXPECT_EQ(allocator.largest_free_bytes(), 4096);
  allocator.CheckInvariants();
}

TEST(SlotAllocatorTest, AllocateAtRefusesWhatIsNotAllFree) {
  SlotAllocator allocator(0, 1024);
  ASSERT_TRUE(allocator.AllocateAt({256, 65}));
  for (const Slot& slot : std::vector<Slot>{
           {256, 65}, {256, 1}, {320, 64}, {192, 65}, {192, 512}, {0, 1024}}) {
    EXPECT_FALSE(allocator.AllocateAt(slot)) << slot;
  }
  EXPECT_EQ(allocator.used_bytes(), 128);
  allocator.CheckInvariants();
  EXPECT_TRUE(allocator.AllocateAt({0, 256}));
  EXPECT_TRUE(allocator.AllocateAt({384, 640}));
  EXPECT_FALSE(allocator.AllocateAt({0, 64})) << "nothing is free";
}

TEST(SlotAllocatorDeathTest, FreeingWhatIsNotGivenOutIsFatal) {
  SlotAllocator allocator(0, 1024);
  const Slot slot = *allocator.Allocate(100);
  EXPECT_DEATH(allocator.Free({64, 100}), "not given out");
  EXPECT_DEATH(allocator.Free({slot.offset, 99}), "not given out");
  allocator.Free(slot);
  EXPECT_DEATH(allocator.Free(slot), "not given out");
}

TEST(SlotAllocatorDeathTest, AskingForNothingIsFatal) {
  SlotAllocator allocator(0, 1024);
  EXPECT_DEATH(allocator.Allocate(0), "");
  EXPECT_DEATH(allocator.Allocate(-1), "");
}

// The simplest thing that does the same: one flag for each unit of the pool.
class NaiveAllocator {
 public:
  static constexpr int64_t kUnit = 64;

  explicit NaiveAllocator(int64_t units) : used_(units, false) {}

  std::optional<Slot> Allocate(int64_t bytes) {
    const int64_t needed = Units(bytes);
    int64_t best = -1;
    int64_t best_length = INT64_MAX;
    for (int64_t at = 0; at < used_.size();) {
      const int64_t length = FreeLength(at);
      if (length >= needed && length < best_length) {
        best = at;
        best_length = length;
      }
      at += std::max<int64_t>(1, length);
    }
    if (best < 0) return std::nullopt;
    std::fill_n(used_.begin() + best, needed, true);
    return Slot{best * kUnit, bytes};
  }

  bool AllocateAt(const Slot& slot) {
    const auto start = used_.begin() + slot.offset / kUnit;
    if (Units(slot.bytes) > used_.end() - start) return false;
    const auto stop = start + Units(slot.bytes);
    if (std::find(start, stop, true) != stop) return false;
    std::fill(start, stop, true);
    return true;
  }

  void Free(const Slot& slot) {
    std::fill_n(used_.begin() + slot.offset / kUnit, Units(slot.bytes), false);
  }

  int64_t used_bytes() const {
    return std::count(used_.begin(), used_.end(), true) * kUnit;
  }

  int64_t largest_free_bytes() const {
    int64_t largest = 0;
    for (int64_t at = 0; at < used_.size(); ++at) {
      largest = std::max(largest, FreeLength(at));
    }
    return largest * kUnit;
  }

 private:
  static int64_t Units(int64_t bytes) { return (bytes + kUnit - 1) / kUnit; }

  int64_t FreeLength(int64_t at) const {
    const auto start = used_.begin() + at;
    return std::find(start, used_.end(), true) - start;
  }

  std::vector<bool> used_;
};

constexpr int64_t kUnits = 200;

Slot RandomSlot(std::mt19937_64& random) {
  return {static_cast<int64_t>(random() % kUnits) * NaiveAllocator::kUnit,
          static_cast<int64_t>(1 + random() % (16 * NaiveAllocator::kUnit))};
}

// Allocates and frees at random; what is left given out.
std::vector<Slot> RandomSlots(std::mt19937_64& random,
                              SlotAllocator& allocator) {
  std::vector<Slot> slots;
  for (int step = 0; step < 500; ++step) {
    if (slots.empty() || random() % 2 == 0) {
      const auto slot = allocator.Allocate(RandomSlot(random).bytes);
      if (slot.has_value()) slots.push_back(*slot);
    } else {
      std::swap(slots[random() % slots.size()], slots.back());
      allocator.Free(slots.back());
      slots.pop_back();
    }
  }
  return slots;
}

TEST(SlotAllocatorPropertyTest, AllocateAtRebuildsAnAllocatorInAnyOrder) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    SlotAllocator lost(0, kUnits * NaiveAllocator::kUnit);
    SlotAllocator rebuilt(0, kUnits * NaiveAllocator::kUnit);
    std::vector<Slot> slots = RandomSlots(random, lost);
    std::shuffle(slots.begin(), slots.end(), random);
    for (const Slot& slot : slots) {
      ASSERT_TRUE(rebuilt.AllocateAt(slot)) << slot;
      rebuilt.CheckInvariants();
    }
    EXPECT_EQ(rebuilt.used_bytes(), lost.used_bytes());
    EXPECT_EQ(rebuilt.largest_free_bytes(), lost.largest_free_bytes());
    while (!slots.empty()) {
      const int64_t bytes = RandomSlot(random).bytes;
      ASSERT_EQ(rebuilt.Allocate(bytes), lost.Allocate(bytes));
      rebuilt.Free(slots.back());
      lost.Free(slots.back());
      slots.pop_back();
    }
  }
}

TEST(SlotAllocatorPropertyTest, AllocateAtTakesWhatANaiveModelTakes) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    SlotAllocator allocator(0, kUnits * NaiveAllocator::kUnit);
    NaiveAllocator model(kUnits);
    for (int step = 0; step < 500; ++step) {
      const Slot slot = RandomSlot(random);
      const bool taken = allocator.AllocateAt(slot);
      ASSERT_EQ(taken, model.AllocateAt(slot)) << slot;
      if (taken && random() % 4 != 0) {
        allocator.Free(slot);
        model.Free(slot);
      }
      ASSERT_EQ(allocator.used_bytes(), model.used_bytes());
      ASSERT_EQ(allocator.largest_free_bytes(), model.largest_free_bytes());
      allocator.CheckInvariants();
    }
  }
}

TEST(SlotAllocatorPropertyTest, DoesWhatANaiveModelDoes) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    std::mt19937_64 random(seed);
    SlotAllocator allocator(0, kUnits * NaiveAllocator::kUnit);
    NaiveAllocator model(kUnits);
    std::vector<Slot> slots;
    for (int step = 0; step < 2'000; ++step) {
      if (slots.empty() || random() % 2 == 0) {
        const int64_t bytes = 1 + random() % (16 * NaiveAllocator::kUnit);
        const std::optional<Slot> slot = allocator.Allocate(bytes);
        ASSERT_EQ(slot, model.Allocate(bytes)) << "seed " << seed;
        if (slot.has_value()) slots.push_back(*slot);
      } else {
        std::swap(slots[random() % slots.size()], slots.back());
        allocator.Free(slots.back());
        model.Free(slots.back());
        slots.pop_back();
      }
      ASSERT_EQ(allocator.used_bytes(), model.used_bytes());
      ASSERT_EQ(allocator.largest_free_bytes(), model.largest_free_bytes());
      allocator.CheckInvariants();
    }
    for (const Slot& slot : slots) allocator.Free(slot);
    EXPECT_EQ(allocator.largest_free_bytes(), allocator.free_bytes());
    EXPECT_EQ(allocator.used_bytes(), 0);
  }
}

}  // namespace
}  // namespace hydra
