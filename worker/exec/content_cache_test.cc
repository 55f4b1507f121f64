#include "worker/exec/content_cache.h"

#include <memory>
#include <string>

#include "gtest/gtest.h"

namespace hydra {
namespace {

// What an entry with a key of one letter is charged beside its value.
constexpr int64_t kEntry = ContentCache<int>::kEntryBytes + 2;

TEST(ContentCacheTest, WhatWasUsedLeastRecentlyGoesFirst) {
  ContentCache<int> cache(/*capacity_bytes=*/2 * kEntry + 100);
  cache.Put("a", std::make_shared<int>(1), 40);
  cache.Put("b", std::make_shared<int>(2), 40);
  EXPECT_EQ(*cache.Find("a"), 1);
  cache.Put("c", std::make_shared<int>(3), 40);
  EXPECT_EQ(cache.Find("b"), nullptr);
  EXPECT_EQ(*cache.Find("a"), 1);
  EXPECT_EQ(*cache.Find("c"), 3);
  EXPECT_EQ(cache.bytes(), 2 * kEntry + 80);
}

TEST(ContentCacheTest, OneThatIsLargerThanAllRoomStaysUntilTheNext) {
  ContentCache<int> cache(/*capacity_bytes=*/2 * kEntry);
  cache.Put("a", std::make_shared<int>(1), 0);
  cache.Put("large", std::make_shared<int>(2), 3 * kEntry);
  EXPECT_EQ(cache.Find("a"), nullptr);
  EXPECT_EQ(*cache.Find("large"), 2);
  cache.Put("b", std::make_shared<int>(3), 1);
  EXPECT_EQ(cache.Find("large"), nullptr);
  EXPECT_EQ(cache.bytes(), kEntry + 1);
}

// Each epoch of a job has an entry of its own.
TEST(ContentCacheTest, ManySmallValuesHaveABoundToo) {
  ContentCache<int> cache(/*capacity_bytes=*/10 * kEntry);
  int held = 0;
  for (int i = 0; i < 1000; ++i) {
    cache.Put(std::to_string(i), std::make_shared<int>(i), sizeof(int));
  }
  for (int i = 0; i < 1000; ++i)
    held += cache.Find(std::to_string(i)) != nullptr;
  EXPECT_GT(held, 0);
  EXPECT_LE(held, 10);
}

TEST(ContentCacheTest, WhoHoldsAValueKeepsIt) {
  ContentCache<int> cache(/*capacity_bytes=*/1);
  cache.Put("a", std::make_shared<int>(1), 1);
  const std::shared_ptr<int> held = cache.Find("a");
  cache.Put("b", std::make_shared<int>(2), 1);
  EXPECT_EQ(cache.Find("a"), nullptr);
  EXPECT_EQ(*held, 1);
}

}  // namespace
}  // namespace hydra
