#include "common/jobfile/import_paths.h"

#include <set>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;

ImportOptions Options(std::set<std::string> files = {}) {
  ImportOptions options;
  options.base_dir = "/home/ann";
  options.exists = [files = std::move(files)](const std::string& path) {
    return files.count(path) != 0;
  };
  return options;
}

TEST(ImportPathsTest, ANameOfAHubIsNoPathUnlessItIsThere) {
  EXPECT_EQ(WhyNoPath("/m", true, Options()), "");
  EXPECT_THAT(WhyNoPath("org/name", true, Options()),
              HasSubstr("huggingface-cli"));
  EXPECT_EQ(WhyNoPath("org/name", true, Options({"/home/ann/org/name"})), "");
  EXPECT_EQ(WhyNoPath("org/name", true, Options({"/home/ann/org"})), "");
}

TEST(ImportPathsTest, WhatNobodyExpandsIsNoPathWhateverIsThere) {
  EXPECT_THAT(WhyNoPath("~/m", true, Options({"/home/ann/~/m"})),
              HasSubstr("'~' is not expanded"));
}

TEST(ImportPathsTest, RelativePathsStayWhereTheyMayStay) {
  ImportOptions options = Options();
  EXPECT_EQ(WrittenPath("./a/b", options), "/home/ann/a/b");
  EXPECT_EQ(WrittenPath("/a/b", options), "/a/b");
  options.keep_relative = true;
  EXPECT_EQ(WrittenPath("./a/b", options), "./a/b");
}

}  // namespace
}  // namespace hydra
