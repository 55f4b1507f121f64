#include "worker/exec/content_cache.h"

#include <memory>

#include "gtest/gtest.h"

namespace hydra {
namespace {

TEST(ContentCacheTest, WhatWasUsedLeastRecentlyGoesFirst) {
  ContentCache<int> cache(/*capacity_bytes=*/100);
  cache.Put("a", std::make_shared<int>(1), 40);
  cache.Put("b", std::make_shared<int>(2), 40);
  EXPECT_EQ(*cache.Find("a"), 1);
  cache.Put("c", std::make_shared<int>(3), 40);
  EXPECT_EQ(cache.Find("b"), nullptr);
  EXPECT_EQ(*cache.Find("a"), 1);
  EXPECT_EQ(*cache.Find("c"), 3);
  EXPECT_EQ(cache.bytes(), 80);
}

TEST(ContentCacheTest, OneThatIsLargerThanAllRoomStaysUntilTheNext) {
  ContentCache<int> cache(/*capacity_bytes=*/100);
  cache.Put("a", std::make_shared<int>(1), 40);
  cache.Put("large", std::make_shared<int>(2), 1000);
  EXPECT_EQ(cache.Find("a"), nullptr);
  EXPECT_EQ(*cache.Find("large"), 2);
  cache.Put("b", std::make_shared<int>(3), 1);
  EXPECT_EQ(cache.Find("large"), nullptr);
  EXPECT_EQ(cache.bytes(), 1);
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
