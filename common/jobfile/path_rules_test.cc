#include "common/jobfile/path_rules.h"

#include <string>

#include "gtest/gtest.h"

namespace hydra {
namespace {

std::string Mistake(absl::string_view path) {
  Mistakes mistakes;
  CheckPath("model.path", path, &mistakes);
  return mistakes.empty() ? "" : mistakes[0].description();
}

TEST(AbsolutePathTest, StartsRelativePathsFromTheBase) {
  EXPECT_EQ(AbsolutePath("models/a", "/home/u"), "/home/u/models/a");
  EXPECT_EQ(AbsolutePath("././a", "/home/u/"), "/home/u/a");
  EXPECT_EQ(AbsolutePath("../a", "/home/u"), "/home/u/../a");
  EXPECT_EQ(AbsolutePath("a", "/"), "/a");
}

TEST(AbsolutePathTest, LeavesOtherPathsAlone) {
  EXPECT_EQ(AbsolutePath("/models/a", "/home/u"), "/models/a");
  EXPECT_EQ(AbsolutePath("", "/home/u"), "");
  EXPECT_EQ(AbsolutePath("~/a", "/home/u"), "~/a");
  EXPECT_EQ(AbsolutePath("$A/b", "/home/u"), "$A/b");
  EXPECT_EQ(AbsolutePath("s3://a/b", "/home/u"), "s3://a/b");
  EXPECT_EQ(AbsolutePath("C:\\a", "/home/u"), "C:\\a");
  EXPECT_EQ(AbsolutePath("./~a", "/home/u"), "/home/u/~a");
}

TEST(CheckPathTest, AcceptsAbsolutePaths) {
  EXPECT_EQ(Mistake("/models/größe with spaces"), "");
}

TEST(CheckPathTest, RefusesOthers) {
  EXPECT_EQ(Mistake(""), "expected an absolute path, found ''");
  EXPECT_EQ(Mistake("models"), "expected an absolute path, found 'models'");
  EXPECT_EQ(Mistake("~/m"),
            "expected an absolute path, found '~/m'; '~' is not expanded, "
            "write the directory out");
  EXPECT_EQ(Mistake("s3://b/m"),
            "expected an absolute path, found 's3://b/m'; URLs are not "
            "fetched; copy it to the server and write the file's path");
  EXPECT_EQ(Mistake(std::string("/a\0/b", 5)),
            "expected a path without control characters, found '/a\\x00/b'");
  EXPECT_EQ(Mistake("/" + std::string(4095, 'a')),
            "expected a path of at most 4095 bytes, found one of 4096");
}

TEST(PathsOfTest, NamesEveryPathThatIsGiven) {
  v1::JobSpec job;
  job.mutable_model()->set_path("m");
  job.mutable_data()->add_train_files("a");
  job.mutable_data()->add_train_files("");
  const std::vector<PathField> paths = PathsOf(&job);
  ASSERT_EQ(paths.size(), 3);
  EXPECT_EQ(paths[0].field, "model.path");
  EXPECT_EQ(paths[2].field, "data.train_files[1]");
}

TEST(IsPathFieldTest, KnowsPathsFromOtherText) {
  EXPECT_TRUE(IsPathField("output.output_dir"));
  EXPECT_FALSE(IsPathField("name"));
}

}  // namespace
}  // namespace hydra
