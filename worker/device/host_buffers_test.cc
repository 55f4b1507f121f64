#include "worker/device/host_buffers.h"

#include <atomic>
#include <cstdint>
#include <map>
#include <thread>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

constexpr int64_t kPage = 4096;

// Memory of which it is known what was not given back.
class CountedSource {
 public:
  HostBuffers::Source AsSource() {
    return {[this](int64_t bytes) -> absl::StatusOr<std::byte*> {
              ++asked;
              if (refuses) return absl::ResourceExhaustedError("none left");
              auto* const begin = new std::byte[bytes];
              out[begin] = bytes;
              return begin;
            },
            [this](std::byte* begin) {
              EXPECT_EQ(out.erase(begin), 1);
              delete[] begin;
            }};
  }

  std::map<std::byte*, int64_t> out;
  int asked = 0;
  bool refuses = false;
};

TEST(HostBuffersTest, WaitForRoomAndAreUsedAgain) {
  HostBuffers buffers(2 * kPage);
  HostBuffers::Buffer first = buffers.Take(kPage);
  const HostBuffers::Buffer second = buffers.Take(100);
  EXPECT_EQ(buffers.TryTake(1), nullptr);
  std::byte* const memory = first.get();
  std::atomic<std::byte*> third = nullptr;
  std::thread waits([&] { third = buffers.Take(kPage).get(); });
  EXPECT_EQ(third, nullptr);
  first.reset();
  waits.join();
  EXPECT_EQ(third, memory);
}

TEST(HostBuffersTest, OneIsGivenHoweverLarge) {
  HostBuffers buffers(kPage);
  EXPECT_NE(buffers.Take(10 * kPage), nullptr);
  EXPECT_NE(buffers.Take(20 * kPage), nullptr);
}

TEST(HostBuffersTest, WhatIsFreeMakesRoomForAnotherSize) {
  CountedSource source;
  HostBuffers buffers(8 * kPage, source.AsSource());
  for (int pages : {1, 2, 5, 8, 3}) {
    buffers.Take(pages * kPage);
    EXPECT_LE(buffers.held_bytes(), 8 * kPage);
    int64_t out = 0;
    for (const auto& [begin, bytes] : source.out) out += bytes;
    EXPECT_EQ(out, buffers.held_bytes());
  }
}

TEST(HostBuffersTest, AllAreGivenBackAtTheEnd) {
  CountedSource source;
  {
    HostBuffers buffers(8 * kPage, source.AsSource());
    buffers.Take(kPage);
    const HostBuffers::Buffer last = buffers.Take(3 * kPage);
    EXPECT_EQ(source.out.size(), 2);
  }
  EXPECT_TRUE(source.out.empty());
}

TEST(HostBuffersTest, ARefusalIsFinalAndLeavesPlainMemory) {
  CountedSource source;
  source.refuses = true;
  HostBuffers buffers(8 * kPage, source.AsSource());
  const HostBuffers::Buffer first = buffers.Take(kPage);
  source.refuses = false;
  const HostBuffers::Buffer second = buffers.Take(kPage);
  EXPECT_NE(second, nullptr);
  EXPECT_EQ(source.asked, 1);
}

}  // namespace
}  // namespace hydra
