#include "worker/device/cuda/host_pins.h"

#include <memory>
#include <vector>

#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/device/cuda/testing/fake_cuda.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;

constexpr int64_t kSlab = 4096;

class HostPinsTest : public testing::Test {
 protected:
  // What the sizes of the parts are.
  static std::vector<size_t> Use(HostPins& pins,
                                 absl::Span<const std::byte> host) {
    std::vector<size_t> sizes;
    const std::byte* next = host.data();
    for (absl::Span<const std::byte> part : pins.Use(host)) {
      EXPECT_EQ(part.data(), next);
      next += part.size();
      sizes.push_back(part.size());
    }
    EXPECT_EQ(next, host.data() + host.size());
    return sizes;
  }

  absl::Span<std::byte> Memory(size_t bytes) {
    return absl::MakeSpan(bytes_).first(bytes);
  }

  static void AwaitIdle(const HostPins& pins) {
    while (!pins.IsIdle()) absl::SleepFor(absl::Milliseconds(1));
  }

  FakeCuda cuda_;
  std::vector<std::byte> bytes_ = std::vector<std::byte>(10 * kSlab);
};

TEST_F(HostPinsTest, PinsWhatCopiesUse) {
  HostPins pins(&cuda_, Memory(5 * kSlab), kSlab);
  EXPECT_EQ(cuda_.registered_bytes(), kSlab) << "one slab is tried at once";
  Use(pins, Memory(3 * kSlab).subspan(2 * kSlab));
  AwaitIdle(pins);
  EXPECT_EQ(pins.pinned_bytes(), 2 * kSlab);
  Use(pins, Memory(3 * kSlab).subspan(2 * kSlab));
  Use(pins, Memory(5 * kSlab));
  AwaitIdle(pins);
  EXPECT_EQ(pins.pinned_bytes(), 5 * kSlab);
  EXPECT_EQ(cuda_.registrations(), 5);
}

TEST_F(HostPinsTest, CutsAtTheEdgesOfSlabs) {
  HostPins pins(&cuda_, Memory(2 * kSlab + 100), kSlab);
  EXPECT_THAT(Use(pins, Memory(kSlab)), ElementsAre(kSlab));
  EXPECT_THAT(Use(pins, Memory(kSlab + 1)), ElementsAre(kSlab, 1));
  EXPECT_THAT(Use(pins, Memory(2 * kSlab + 100).subspan(kSlab - 1)),
              ElementsAre(1, kSlab, 100));
  EXPECT_THAT(Use(pins, Memory(kSlab).first(0)), ElementsAre());
  AwaitIdle(pins);
  EXPECT_EQ(cuda_.registered_bytes(), 2 * kSlab + 100);
}

TEST_F(HostPinsTest, LeavesOtherMemoryAlone) {
  HostPins pins(&cuda_, Memory(kSlab), kSlab);
  const std::vector<std::byte> other(3 * kSlab);
  EXPECT_THAT(Use(pins, other), ElementsAre(3 * kSlab));
  HostPins none(&cuda_, {}, kSlab);
  EXPECT_THAT(Use(none, other), ElementsAre(3 * kSlab));
  EXPECT_EQ(cuda_.registrations(), 1);
}

TEST_F(HostPinsTest, UnpinsAllAtItsEnd) {
  {
    HostPins pins(&cuda_, Memory(4 * kSlab), kSlab);
    Use(pins, Memory(2 * kSlab));
    AwaitIdle(pins);
    EXPECT_EQ(cuda_.registered_bytes(), 2 * kSlab);
  }
  EXPECT_EQ(cuda_.registered_bytes(), 0);
}

TEST_F(HostPinsTest, AsksNoMoreOnceItIsRefused) {
  FakeCuda::Options options;
  options.allowed_registrations = 2;
  FakeCuda cuda(options);
  HostPins pins(&cuda, Memory(10 * kSlab), kSlab);
  Use(pins, Memory(3 * kSlab));
  AwaitIdle(pins);
  Use(pins, Memory(10 * kSlab));
  AwaitIdle(pins);
  EXPECT_EQ(cuda.registrations(), 3);
  EXPECT_EQ(pins.pinned_bytes(), 2 * kSlab);
}

TEST_F(HostPinsTest, ARefusalAtTheStartIsTheOnlyOne) {
  FakeCuda::Options options;
  options.allowed_registrations = 0;
  FakeCuda cuda(options);
  HostPins pins(&cuda, Memory(10 * kSlab), kSlab);
  EXPECT_THAT(Use(pins, Memory(kSlab + 1)), ElementsAre(kSlab, 1));
  AwaitIdle(pins);
  EXPECT_EQ(cuda.registrations(), 1);
}

}  // namespace
}  // namespace hydra
