#include "common/jobfile/path_kind.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;

PathKind Model(absl::string_view value) {
  return KindOfPath(value, /*is_model=*/true);
}

PathKind File(absl::string_view value) {
  return KindOfPath(value, /*is_model=*/false);
}

TEST(KindOfPathTest, KnowsWhatIsNoPath) {
  EXPECT_EQ(File("~/train.txt"), PathKind::kHome);
  EXPECT_EQ(File("~ann/train.txt"), PathKind::kHome);
  EXPECT_EQ(File("$DATA/train.txt"), PathKind::kVariable);
  EXPECT_EQ(File("${DATA}/train.txt"), PathKind::kVariable);
  EXPECT_EQ(File("s3://bucket/train.txt"), PathKind::kUrl);
  EXPECT_EQ(File("https://example.org/t.txt"), PathKind::kUrl);
  EXPECT_EQ(File("C:\\data\\train.txt"), PathKind::kWindows);
  EXPECT_EQ(File("d:/train.txt"), PathKind::kWindows);
  EXPECT_EQ(File("\\\\server\\share\\t.txt"), PathKind::kWindows);
}

TEST(KindOfPathTest, KnowsWhatMayBeAPathToo) {
  EXPECT_EQ(File("/data/tr*.txt"), PathKind::kPattern);
  EXPECT_EQ(File("part-[0-9].txt"), PathKind::kPattern);
  EXPECT_EQ(File("/data/$USER/train.txt"), PathKind::kInnerVariable);
  EXPECT_EQ(Model("openai-community/gpt2"), PathKind::kHubId);
  EXPECT_EQ(Model("gpt2-xl"), PathKind::kHubId);
}

TEST(KindOfPathTest, LeavesPathsAlone) {
  for (const char* path :
       {"train.txt", "data/train.txt", "/data/train.txt", "./a", "../m", "a:b",
        "$", "a/b/c", "C:", "größe/ä b.txt", ""}) {
    EXPECT_EQ(File(path), PathKind::kPath) << path;
  }
  for (const char* path : {"models", "./gpt2", "/a/b", "a/b/c", "../gpt2"}) {
    EXPECT_EQ(Model(path), PathKind::kPath) << path;
  }
}

TEST(PathRemedyTest, SaysWhatToWrite) {
  const auto remedy = [](absl::string_view value) {
    return PathRemedy(Model(value), value);
  };
  EXPECT_EQ(remedy("/a"), "");
  EXPECT_THAT(remedy("~/a"), HasSubstr("write the directory out"));
  EXPECT_THAT(remedy("$A/b"), HasSubstr("envsubst"));
  EXPECT_THAT(remedy("s3://a"), HasSubstr("not fetched"));
  EXPECT_THAT(remedy("file:///a"), HasSubstr("the path alone"));
  EXPECT_THAT(remedy("C:\\a"), HasSubstr("Windows"));
  EXPECT_THAT(remedy("*.txt"), HasSubstr("each file"));
  EXPECT_THAT(remedy("o/n"), HasSubstr("huggingface-cli download o/n"));
}

}  // namespace
}  // namespace hydra
