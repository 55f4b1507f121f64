#include "worker/device/device_arena.h"

#include <cstddef>
#include <cstring>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;

TEST(DeviceArenaTest, GivesExactlyItsLimitAndNoByteMore) {
  auto arena = DeviceArena::Create(4096).value();
  void* all = arena->Allocate(4096);
  ASSERT_NE(all, nullptr);
  std::memset(all, 1, 4096);
  EXPECT_EQ(arena->Allocate(1), nullptr);
  arena->Free(all);
  EXPECT_EQ(arena->Allocate(4097), nullptr);
  EXPECT_EQ(arena->used_bytes(), 0);
}

TEST(DeviceArenaTest, RefusesLimitsThatAreNoMultipleOfItsAlignment) {
  for (int64_t limit : {int64_t{0}, int64_t{-64}, int64_t{100}}) {
    EXPECT_EQ(DeviceArena::Create(limit).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

TEST(DeviceArenaTest, CountsWholeAlignedRanges) {
  auto arena = DeviceArena::Create(4096).value();
  void* small = arena->Allocate(1);
  void* next = arena->Allocate(65);
  EXPECT_EQ(arena->used_bytes(), 64 + 128);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(small) % 64, 0);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(next) % 64, 0);
}

TEST(DeviceArenaTest, TakesItsRangeFromItsSourceAndGivesItBack) {
  alignas(512) static std::byte memory[4096];
  int64_t given_back = 0;
  const DeviceArena::Source source = {512, [](int64_t) { return memory; },
                                      [&](std::byte* begin, int64_t bytes) {
                                        EXPECT_EQ(begin, memory);
                                        given_back = bytes;
                                      }};
  EXPECT_EQ(DeviceArena::Create(4096 + 64, source).status().code(),
            absl::StatusCode::kInvalidArgument);
  auto arena = DeviceArena::Create(4096, source).value();
  EXPECT_EQ(arena->Allocate(1), memory);
  EXPECT_EQ(arena->Allocate(513), memory + 512);
  EXPECT_EQ(arena->used_bytes(), 512 + 1024);
  EXPECT_EQ(given_back, 0);
  arena.reset();
  EXPECT_EQ(given_back, 4096);
}

TEST(DeviceArenaTest, PassesOnWhyItsSourceHasNothing) {
  const DeviceArena::Source source = {
      64,
      [](int64_t) -> absl::StatusOr<std::byte*> {
        return absl::InternalError("none");
      },
      [](std::byte*, int64_t) { FAIL() << "nothing was taken"; }};
  EXPECT_EQ(DeviceArena::Create(4096, source).status(),
            absl::InternalError("none"));
}

TEST(DeviceArenaTest, PeakKeepsTheMostUntilItIsResetAndHighestForEver) {
  auto arena = DeviceArena::Create(4096).value();
  void* kept = arena->Allocate(64);
  arena->Free(arena->Allocate(1024));
  EXPECT_EQ(arena->peak_bytes(), 1088);
  arena->ResetPeak();
  EXPECT_EQ(arena->peak_bytes(), 64);
  EXPECT_EQ(arena->highest_bytes(), 1088);
  arena->Free(kept);
}

TEST(DeviceArenaTest, ReclaimsUntilTheAllocationFits) {
  auto arena = DeviceArena::Create(4096).value();
  std::vector<void*> cached;
  for (int i = 0; i < 4; ++i) cached.push_back(arena->Allocate(1024));
  arena->SetReclaim([&](DeviceArena::Reclaimed) {
    if (cached.empty()) return false;
    arena->Free(cached.back());
    cached.pop_back();
    return true;
  });
  EXPECT_NE(arena->Allocate(2048), nullptr);
  EXPECT_EQ(cached.size(), 2);
}

TEST(DeviceArenaTest, WaitsForWhatComesBackRatherThanReclaimsWhatIsNeeded) {
  auto arena = DeviceArena::Create(4096).value();
  void* unneeded = arena->Allocate(1024);
  void* needed = arena->Allocate(1024);
  void* copied = arena->Allocate(2048);
  std::vector<std::string> asked;
  arena->SetReclaim([&](DeviceArena::Reclaimed what) {
    const bool any = what == DeviceArena::Reclaimed::kAny;
    asked.push_back(any ? "any" : "unneeded");
    void*& pointer = any ? needed : unneeded;
    if (pointer == nullptr) return false;
    arena->Free(std::exchange(pointer, nullptr));
    return true;
  });
  arena->SetAwaitFree([&] {
    asked.push_back("awaits");
    if (copied == nullptr) return false;
    arena->Free(std::exchange(copied, nullptr));
    return true;
  });
  EXPECT_NE(arena->Allocate(1024), nullptr);
  EXPECT_THAT(asked, ElementsAre("unneeded"));
  asked.clear();
  EXPECT_NE(arena->Allocate(2048), nullptr);
  EXPECT_THAT(asked, ElementsAre("unneeded", "awaits"));
  asked.clear();
  EXPECT_NE(arena->Allocate(1024), nullptr);
  EXPECT_THAT(asked, ElementsAre("unneeded", "awaits", "any"));
}

TEST(DeviceArenaTest, WhatIsKeptLiesApartFromWhatComesAndGoes) {
  auto arena = DeviceArena::Create(4096).value();
  auto* low = static_cast<std::byte*>(arena->Allocate(64));
  std::byte* high = nullptr;
  {
    const DeviceArena::HighScope scope;
    high = static_cast<std::byte*>(arena->Allocate(64));
  }
  EXPECT_EQ(high - low, 4096 - 64);
  EXPECT_EQ(static_cast<std::byte*>(arena->Allocate(64)) - low, 64);
}

TEST(DeviceArenaTest, RefusesWhenNothingIsLeftToReclaim) {
  auto arena = DeviceArena::Create(4096).value();
  ASSERT_NE(arena->Allocate(4096), nullptr);
  int asked = 0;
  arena->SetReclaim([&](DeviceArena::Reclaimed what) {
    return what == DeviceArena::Reclaimed::kAny && ++asked < 3;
  });
  EXPECT_EQ(arena->Allocate(64), nullptr);
  EXPECT_EQ(asked, 3);
}

TEST(DeviceArenaTest, ThreadsMayAllocateAndFreeTogether) {
  auto arena = DeviceArena::Create(1 << 20).value();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&arena, t] {
      for (int i = 0; i < 2000; ++i) {
        const int64_t bytes = 64 + (i * 37 + t) % 5000;
        auto* range = static_cast<unsigned char*>(arena->Allocate(bytes));
        ASSERT_NE(range, nullptr);
        std::memset(range, t, bytes);
        for (int64_t at = 0; at < bytes; ++at) ASSERT_EQ(range[at], t);
        arena->Free(range);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(arena->used_bytes(), 0);
}

}  // namespace
}  // namespace hydra
