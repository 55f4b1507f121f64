#include "scheduler/submission/image_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/file/scratch_directory.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

class ImageCheckTest : public ::testing::Test {
 protected:
  ImageCheckTest() {
    for (const char* name : {"model", "train", "train/cat", "train/dog",
                             "validation", "validation/dog"}) {
      folder_.MakeDirectory(name);
    }
    spec_.mutable_model()->set_path(folder_.PathOf("model"));
    v1::DataSpec& data = *spec_.mutable_data();
    data.set_format(v1::DATA_FORMAT_IMAGES);
    data.add_train_files(folder_.PathOf("train"));
    data.add_validation_files(folder_.PathOf("validation"));
  }

  // "field: description" of each mistake.
  std::vector<std::string> LinesOf(const std::string& config = "{}") {
    const PathPolicy paths({folder_.path()}, {});
    ImageCheck check(&paths);
    Mistakes mistakes;
    warnings_.clear();
    classes_ = check.Check(spec_, config, {"pixel_values", {3, 8, 8}, 2},
                           &mistakes, &warnings_);
    std::vector<std::string> lines;
    for (const Mistake& mistake : mistakes) {
      lines.push_back(
          absl::StrCat(mistake.field(), ": ", mistake.description()));
    }
    return lines;
  }

  const ScratchDirectory folder_;
  v1::JobSpec spec_;
  std::vector<std::string> warnings_;
  ClassNumbers classes_;
};

TEST_F(ImageCheckTest, TakesGoodFoldersWithoutAWord) {
  EXPECT_THAT(LinesOf(), IsEmpty());
  EXPECT_THAT(classes_, ElementsAre(Pair("cat", 0), Pair("dog", 1)));
  EXPECT_THAT(LinesOf(R"({"id2label": {"0": "dog", "1": "cat"}})"), IsEmpty());
  EXPECT_THAT(classes_, IsEmpty()) << "the model has names";
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(ImageCheckTest, FoldersThatAreNoClassesAreNamed) {
  EXPECT_THAT(LinesOf(R"({"id2label": {"0": "dog", "1": "eel"}})"),
              ElementsAre(HasSubstr("data.train_files: found the folder "
                                    "'cat'; the 2 classes are 'dog', 'eel'")));
  folder_.MakeDirectory("validation/eel");
  EXPECT_THAT(LinesOf(),
              ElementsAre(HasSubstr("data.validation_files: found the folder "
                                    "'eel'; the 2 classes are 'cat', 'dog'")));
  folder_.MakeDirectory("train/eel");
  EXPECT_THAT(LinesOf(),
              ElementsAre(HasSubstr("data.train_files: found 3 folders")));
}

TEST_F(ImageCheckTest, FoldersThatCannotBeListedAreNamed) {
  folder_.MakeDirectory("empty");
  spec_.mutable_data()->set_train_files(0, folder_.PathOf("empty"));
  spec_.mutable_data()->add_validation_files("/usr");
  EXPECT_THAT(
      LinesOf(),
      ElementsAre(
          HasSubstr("data.train_files[0]: "),
          HasSubstr("data.validation_files[1]: /usr leads to /usr, outside")));
}

TEST_F(ImageCheckTest, TheModelsImageProcessorIsRead) {
  folder_.Write("model/preprocessor_config.json",
                R"({"size": 8, "do_blur": 1})");
  EXPECT_THAT(LinesOf(), IsEmpty());
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("'do_blur'")));
  folder_.Write("model/preprocessor_config.json",
                R"({"size": "8", "resample": 1})");
  EXPECT_THAT(
      LinesOf(),
      ElementsAre(
          HasSubstr("model.path: preprocessor_config.json: size: found"),
          HasSubstr("model.path: preprocessor_config.json: resample: ")));
}

TEST_F(ImageCheckTest, NamesOfClassesThatMeanNothingAreMistakes) {
  EXPECT_THAT(LinesOf(R"({"label2id": {"cat": 5}})"),
              ElementsAre(HasSubstr("model.path: config.json: label2id: ")));
}

TEST_F(ImageCheckTest, FoldersAreListedOnceForAllJobs) {
  const PathPolicy paths({folder_.path()}, {});
  ImageCheck check(&paths);
  Mistakes mistakes;
  const ExampleInput input = {"pixel_values", {3, 8, 8}, 2};
  check.Check(spec_, "{}", input, &mistakes, &warnings_);
  folder_.MakeDirectory("train/eel");
  check.Check(spec_, "{}", input, &mistakes, &warnings_);
  EXPECT_THAT(mistakes, IsEmpty());
  // Others are others.
  spec_.mutable_data()->clear_validation_files();
  check.Check(spec_, "{}", input, &mistakes, &warnings_);
  EXPECT_EQ(mistakes.size(), 1);
}

}  // namespace
}  // namespace hydra
