#include "client/commands/path_hints.h"

#include <filesystem>

#include "common/file/scratch_directory.h"
#include "common/jobfile/mistakes.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Key;

TEST(HintsOfTest, AreForPathsThatLookLikeSomethingElseAndAreNotThere) {
  const ScratchDirectory scratch;
  std::filesystem::create_directories(scratch.path() + "/local/gpt2");
  JobFile file;
  file.job.mutable_model()->set_path("openai-community/gpt2");
  file.job.mutable_model()->set_tokenizer_path("local/gpt2");
  file.job.mutable_data()->add_train_files("train.txt");
  file.job.mutable_data()->add_train_files("tr*.txt");
  EXPECT_THAT(HintsOf(file, scratch.path()),
              ElementsAre(Key("data.train_files[1]"), Key("model.path")));
}

TEST(HintsOfTest, ANameInAFolderThatIsThereIsNoModelOfAHub) {
  const ScratchDirectory scratch;
  std::filesystem::create_directories(scratch.path() + "/models");
  JobFile file;
  file.job.mutable_model()->set_path("models/gpt3");
  EXPECT_THAT(HintsOf(file, scratch.path()), IsEmpty());
}

TEST(HintsOfTest, LooksAtTheGridToo) {
  JobFile file;
  v1::GridAxis& axis = file.grid.emplace_back();
  axis.set_field("model.path");
  axis.add_values("distilgpt2");
  EXPECT_THAT(HintsOf(file, "/nowhere"), ElementsAre(Key("model.path")));
}

TEST(WithHintsTest, StandBehindTheServersWords) {
  Mistakes mistakes;
  AddMistake("model.path", "/h/a/b does not exist", &mistakes);
  AddMistake("train.seed", "is odd", &mistakes);
  const absl::Status status =
      WithHints(ToStatus(mistakes), {{"model.path", "download it"}});
  EXPECT_EQ(status.message(),
            "model.path: /h/a/b does not exist; download it\n"
            "train.seed: is odd");
  EXPECT_EQ(MistakesOf(status).size(), 2);
}

TEST(WithHintsTest, LeaveOtherErrorsAlone) {
  const absl::Status other = absl::UnavailableError("away");
  EXPECT_EQ(WithHints(other, {{"model.path", "download it"}}), other);
}

}  // namespace
}  // namespace hydra
