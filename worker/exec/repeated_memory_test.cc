#include "worker/exec/repeated_memory.h"

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "gtest/gtest.h"

namespace hydra {
namespace {

TEST(RepeatedMemoryTest, APieceIsThereAgainAndAgainToTheEnd) {
  const int64_t page = sysconf(_SC_PAGESIZE);
  const auto memory = RepeatedMemory::Create(10 * page + 1, 3 * page);
  ASSERT_TRUE(memory.ok()) << memory.status();
  const absl::Span<std::byte> all = (*memory)->all();
  ASSERT_EQ(all.size(), 11 * page);
  ASSERT_EQ((*memory)->piece().size(), 3 * page);
  for (int64_t i = 0; i < 3 * page; ++i) all[i] = std::byte(i * 7 % 251);
  for (size_t i = 0; i < all.size(); ++i) {
    ASSERT_EQ(all[i], all[i % (3 * page)]) << i;
  }
  all[10 * page] = std::byte{99};
  EXPECT_EQ(all[page], std::byte{99});
}

TEST(RepeatedMemoryTest, LittleIsNotMadeMore) {
  const int64_t page = sysconf(_SC_PAGESIZE);
  const auto memory = RepeatedMemory::Create(1, int64_t{1} << 30);
  ASSERT_TRUE(memory.ok()) << memory.status();
  EXPECT_EQ((*memory)->all().size(), page);
  EXPECT_EQ((*memory)->piece().size(), page);
}

// Far more than the machine has.
TEST(RepeatedMemoryTest, TakesOnlyThePiecesMemory) {
  constexpr int64_t kPiece = int64_t{64} << 20;
  const auto memory = RepeatedMemory::Create(int64_t{1} << 40, kPiece);
  ASSERT_TRUE(memory.ok()) << memory.status();
  for (const int64_t begin : {int64_t{0}, int64_t{1} << 39, int64_t{1} << 33}) {
    std::memset((*memory)->all().data() + begin, 5, kPiece);
  }
  EXPECT_EQ((*memory)->all()[int64_t{1} << 38], std::byte{5});
}

TEST(RepeatedMemoryTest, ARangeThatNobodyHasIsRefused) {
  EXPECT_EQ(RepeatedMemory::Create(int64_t{1} << 60, 4096).status().code(),
            absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace hydra
