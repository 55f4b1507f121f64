#include "worker/session/process_log.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "glog/logging.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// One test: a process's log is started once.
TEST(ProcessLogTest, WritesEveryLineAtOnceToOneFile) {
  const std::string directory = testing::TempDir() + "/logs";
  EXPECT_EQ(StartProcessLog("tester", directory).code(),
            absl::StatusCode::kNotFound);
  std::filesystem::create_directory(directory);
  ASSERT_EQ(StartProcessLog("tester", directory), absl::OkStatus());
  LOG(INFO) << "first";
  LOG(ERROR) << "second";
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    files.push_back(entry.path());
  }
  ASSERT_EQ(files.size(), 1);
  EXPECT_THAT(files[0].filename().string(), testing::StartsWith("tester."));
  std::ostringstream content;
  content << std::ifstream(files[0]).rdbuf();
  EXPECT_THAT(content.str(), AllOf(HasSubstr("first"), HasSubstr("second")));
}

}  // namespace
}  // namespace hydra
