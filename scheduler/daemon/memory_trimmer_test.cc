#include "scheduler/daemon/memory_trimmer.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/clock.h"

namespace hydra {
namespace {

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

int64_t OwnKib() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    int64_t kib = 0;
    if (word == "RssAnon:" && status >> kib) return kib;
  }
  return -1;
}

// Sanitizers have allocators of their own.
TEST(MemoryTrimmerTest, FreePagesBelowARecordThatLivesOnGoBack) {
  constexpr int kRecords = 1'000'000;
  std::vector<std::unique_ptr<std::string>> records;
  records.reserve(kRecords);
  for (int i = 0; i < kRecords; ++i) {
    records.push_back(std::make_unique<std::string>(60, 'x'));
  }
  const int64_t full = OwnKib();
  records.erase(records.begin(), records.end() - 1);
  ASSERT_GT(OwnKib(), full / 2);
  MemoryTrimmer trimmer(absl::Milliseconds(10));
  while (OwnKib() > full / 2) absl::SleepFor(absl::Milliseconds(1));
}

#endif

TEST(MemoryTrimmerTest, EndsAtOnce) { MemoryTrimmer trimmer(absl::Hours(1)); }

}  // namespace
}  // namespace hydra
