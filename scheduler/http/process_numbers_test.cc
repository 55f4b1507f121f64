#include "scheduler/http/process_numbers.h"

#include <fcntl.h>

#include "common/file/file.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

TEST(ProcessNumbersTest, TellsOfThisProcess) {
  const ProcessNumbers before = ReadProcessNumbers();
  EXPECT_GT(before.resident_bytes, 0);
  EXPECT_GE(before.virtual_bytes, before.resident_bytes);
  EXPECT_GE(before.cpu, absl::ZeroDuration());
  EXPECT_GE(before.open_files, 3) << "the standard streams";
  EXPECT_GE(before.most_open_files, before.open_files);
  const UniqueFd file(open("/dev/null", O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(file.is_open());
  EXPECT_EQ(ReadProcessNumbers().open_files, before.open_files + 1);
}

}  // namespace
}  // namespace hydra
