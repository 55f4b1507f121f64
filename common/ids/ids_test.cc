#include "common/ids/ids.h"

#include <sstream>
#include <type_traits>
#include <unordered_set>

#include "absl/container/flat_hash_set.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

TEST(StrongIdTest, IdsOfDifferentKindsDoNotConvert) {
  EXPECT_FALSE((std::is_convertible_v<JobId, TaskId>));
  EXPECT_FALSE((std::is_constructible_v<JobId, TaskId>));
  EXPECT_FALSE((std::is_convertible_v<uint64_t, JobId>));
  EXPECT_FALSE((std::is_convertible_v<JobId, uint64_t>));
}

TEST(StrongIdTest, ComparesAsItsNumber) {
  EXPECT_EQ(JobId(7), JobId(7));
  EXPECT_NE(JobId(7), JobId(8));
  EXPECT_LT(JobId(7), JobId(8));
  EXPECT_GT(JobId(8), JobId(7));
  EXPECT_LE(JobId(7), JobId(7));
  EXPECT_GE(JobId(7), JobId(7));
}

TEST(StrongIdTest, DefaultsToZero) { EXPECT_EQ(JobId().value(), 0); }

TEST(StrongIdTest, StreamsAsABareNumber) {
  std::ostringstream out;
  out << VersionId(18446744073709551615u);
  EXPECT_EQ(out.str(), "18446744073709551615");
}

TEST(StrongIdTest, HashesInBothKindsOfContainer) {
  const absl::flat_hash_set<JobId> flat = {JobId(1), JobId(2), JobId(1)};
  const std::unordered_set<JobId> standard(flat.begin(), flat.end());
  EXPECT_EQ(flat.size(), 2);
  EXPECT_EQ(standard.count(JobId(2)), 1);
}

}  // namespace
}  // namespace hydra
