#include "worker/data/image/image_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/file/file.h"
#include "common/file/scratch_directory.h"
#include "worker/data/example_file.h"
#include "worker/data/image/image_decoder.h"
#include "worker/data/image/image_transform.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kSide = 6;
constexpr char kConfig[] = "{}";

std::string Picture(absl::string_view name) {
  return ReadFile(absl::StrCat("worker/data/image/testdata/", name));
}

ExampleInput Input() { return {"pixel_values", {kColors, kSide, kSide}, 2}; }

class ImageCacheTest : public ::testing::Test {
 protected:
  ImageCacheTest() {
    for (const char* name :
         {"model", "train", "train/cat", "train/dog", "cache"}) {
      folder_.MakeDirectory(name);
    }
    folder_.Write("train/dog/b.jpg", Picture("color.jpg"));
    folder_.Write("train/dog/a.png", Picture("grey.png"));
    folder_.Write("train/cat/c.png", Picture("color.png"));
  }

  absl::StatusOr<ImageReading> Reading(
      const std::string& config = kConfig) const {
    return ReadImageReading(folder_.PathOf("model"), config,
                            {folder_.PathOf("train")},
                            AccessBelow({folder_.path()}), Input());
  }

  absl::StatusOr<PreparedExamples> Prepare(
      const std::string& split = "train") const {
    absl::StatusOr<ImageReading> reading = Reading();
    if (!reading.ok()) return reading.status();
    ImageRequest request;
    request.cache_dir = folder_.PathOf("cache");
    request.folders = {folder_.PathOf(split)};
    request.access = AccessBelow({folder_.path()});
    request.input = Input();
    request.reading = *std::move(reading);
    TaskControl control;
    return PrepareImages(request, control);
  }

  // Which must be INVALID_ARGUMENT, and leaves nothing half-made.
  std::string ErrorOf(const absl::Status& status) const {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    EXPECT_TRUE(fs::is_empty(folder_.PathOf("cache")));
    return std::string(status.message());
  }

  const ScratchDirectory folder_;
};

std::vector<float> NumbersOf(absl::string_view picture,
                             const ImageProcessing& processing) {
  const auto decoded = DecodeImage(Picture(picture));
  EXPECT_TRUE(decoded.ok()) << decoded.status();
  const ImageTransform transform(processing, {kSide, kSide});
  std::vector<uint8_t> bytes(Input().element_count());
  EXPECT_TRUE(transform.Apply(decoded->image, absl::MakeSpan(bytes)).ok());
  const std::vector<float> values = transform.Values();
  std::vector<float> numbers;
  for (int64_t i = 0; i < Input().element_count(); ++i) {
    const int64_t color = i / (kSide * kSide);
    numbers.push_back(values[color * 256 + bytes[i]]);
  }
  return numbers;
}

TEST_F(ImageCacheTest, ClassesAndThenFilesFollowEachOtherByName) {
  const auto prepared = Prepare();
  ASSERT_TRUE(prepared.ok()) << prepared.status();
  EXPECT_EQ(prepared->example_count, 3);
  EXPECT_FALSE(prepared->reused);
  EXPECT_THAT(prepared->warnings, IsEmpty());
  const auto file = ExampleFile::Open(prepared->path);
  ASSERT_TRUE(file.ok()) << file.status();
  const ImageProcessing processing = Reading()->processing;
  const std::pair<int64_t, const char*> expected[] = {
      {0, "color.png"}, {1, "grey.png"}, {1, "color.jpg"}};
  for (int64_t i = 0; i < 3; ++i) {
    std::vector<float> numbers(file->element_count());
    const auto number = file->Read(i, absl::MakeSpan(numbers));
    ASSERT_TRUE(number.ok()) << number.status();
    EXPECT_EQ(*number, expected[i].first);
    EXPECT_EQ(numbers, NumbersOf(expected[i].second, processing));
  }
}

TEST_F(ImageCacheTest, TheSamePicturesArePreparedOnce) {
  const auto first = Prepare();
  ASSERT_TRUE(first.ok()) << first.status();
  // Under other names, in the same order.
  fs::rename(folder_.PathOf("train/cat/c.png"),
             folder_.PathOf("train/cat/other.png"));
  fs::rename(folder_.PathOf("train/dog"), folder_.PathOf("train/zebra"));
  const auto again = Prepare();
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(again->reused);
  EXPECT_EQ(again->path, first->path);
}

TEST_F(ImageCacheTest, OtherPicturesClassesAndProcessingAreOtherFiles) {
  std::vector<std::string> paths;
  const auto add = [&] {
    const auto prepared = Prepare();
    ASSERT_TRUE(prepared.ok()) << prepared.status();
    EXPECT_FALSE(prepared->reused);
    paths.push_back(prepared->path);
  };
  add();
  folder_.Write("train/cat/c.png", Picture("palette.png"));
  add();
  fs::rename(folder_.PathOf("train/dog/a.png"),
             folder_.PathOf("train/cat/z.png"));
  add();
  folder_.Write("model/preprocessor_config.json",
                R"({"size": 6, "resample": 3})");
  add();
  std::sort(paths.begin(), paths.end());
  EXPECT_EQ(std::unique(paths.begin(), paths.end()), paths.end());
}

TEST_F(ImageCacheTest, OtherSplitsHaveTheTrainingFoldersNumbers) {
  folder_.MakeDirectory("test");
  folder_.MakeDirectory("test/dog");
  folder_.Write("test/dog/a.png", Picture("color.png"));
  const auto prepared = Prepare("test");
  ASSERT_TRUE(prepared.ok()) << prepared.status();
  EXPECT_EQ(*ExampleFile::Open(prepared->path)->ReadClass(0), 1);
  fs::remove(prepared->path);
  folder_.MakeDirectory("test/eel");
  EXPECT_THAT(
      ErrorOf(Prepare("test").status()),
      HasSubstr("/test: found the folder 'eel'; the 2 classes are 'cat'"));
}

TEST_F(ImageCacheTest, ClassesAreThoseOfTheModel) {
  const auto reading = Reading(R"({"label2id": {"dog": 0, "cat": 1}})");
  ASSERT_TRUE(reading.ok()) << reading.status();
  EXPECT_EQ(reading->classes.at("dog"), 0);
  EXPECT_THAT(
      ErrorOf(Reading(R"({"label2id": {"dog": 0, "eel": 1}})").status()),
      HasSubstr("/train: found the folder 'cat'; the 2 classes are "
                "'dog', 'eel'"));
  folder_.MakeDirectory("train/eel");
  EXPECT_THAT(ErrorOf(Prepare().status()),
              AllOf(HasSubstr("found 3 folders of classes"),
                    HasSubstr("the model has 2 classes")));
}

TEST_F(ImageCacheTest, MistakesOfTheProcessorNameItsFile) {
  folder_.Write("model/preprocessor_config.json", R"({"size": 224})");
  EXPECT_THAT(
      ErrorOf(Prepare().status()),
      HasSubstr("/model/preprocessor_config.json: size: makes images of 224"));
}

TEST_F(ImageCacheTest, APictureThatCannotBeReadIsNamed) {
  folder_.Write("train/dog/b.jpg", Picture("color.jpg").substr(0, 500));
  EXPECT_THAT(ErrorOf(Prepare().status()),
              HasSubstr("/train/dog/b.jpg cannot be decoded: "));
  folder_.Write("train/dog/b.jpg", "no picture");
  EXPECT_THAT(ErrorOf(Prepare().status()),
              HasSubstr("/train/dog/b.jpg is no JPEG and no PNG"));
  fs::remove(folder_.PathOf("train/dog/b.jpg"));
  fs::remove(folder_.PathOf("train/dog/a.png"));
  EXPECT_THAT(ErrorOf(Prepare().status()),
              HasSubstr("/train/dog has no .jpg, .jpeg or .png file"));
}

TEST_F(ImageCacheTest, WhatIsPassedOverIsCounted) {
  folder_.Write("train/labels.csv", "x");
  folder_.Write("train/cat/notes.txt", "x");
  std::string damaged = Picture("color.jpg");
  damaged = damaged.substr(0, damaged.find("\xff\xda") + 60) + "\xff\xd9";
  folder_.Write("train/dog/b.jpg", damaged);
  const auto prepared = Prepare();
  ASSERT_TRUE(prepared.ok()) << prepared.status();
  EXPECT_EQ(prepared->example_count, 3);
  ASSERT_EQ(prepared->warnings.size(), 2);
  EXPECT_THAT(prepared->warnings[0],
              AllOf(HasSubstr("are not read: 2; the first is "),
                    HasSubstr("/train/labels.csv")));
  EXPECT_THAT(prepared->warnings[1],
              AllOf(HasSubstr("as they can be seen: 1; the first"),
                    HasSubstr("/dog/b.jpg: ")));
}

TEST_F(ImageCacheTest, NamesThatAreNoTextArePrintable) {
  folder_.Write("train/cat/\xff.txt", "x");
  const auto prepared = Prepare();
  ASSERT_TRUE(prepared.ok()) << prepared.status();
  EXPECT_THAT(prepared->warnings,
              ElementsAre(HasSubstr("/train/cat/\\xff.txt")));
  fs::remove(prepared->path);
  folder_.Write("train/cat/\xfe.png", "x");
  EXPECT_THAT(ErrorOf(Prepare().status()),
              HasSubstr("/train/cat/\\xfe.png is no JPEG"));
}

TEST_F(ImageCacheTest, AStoppedCallLeavesNothing) {
  ImageRequest request;
  request.cache_dir = folder_.PathOf("cache");
  request.folders = {folder_.PathOf("train")};
  request.input = Input();
  request.reading = *Reading();
  TaskControl control;
  control.Stop();
  EXPECT_TRUE(absl::IsAborted(PrepareImages(request, control).status()));
  EXPECT_TRUE(fs::is_empty(folder_.PathOf("cache")));
}

TEST_F(ImageCacheTest, ADataSetNeedsFolders) {
  ImageRequest request;
  request.cache_dir = folder_.PathOf("cache");
  TaskControl control;
  EXPECT_FALSE(PrepareImages(request, control).ok());
}

}  // namespace
}  // namespace hydra
