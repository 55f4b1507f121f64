// hydra import.

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "client/testing/cli_fixture.h"
#include "common/jobfile/job_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kAllCounterparts[] = R"(
model_name_or_path: ./models/tiny
train_file: corpus/train.txt
output_dir: ./out
per_device_train_batch_size: 2
learning_rate: 1.0e-4
max_steps: 10
report_to: wandb
)";

class CliImportTest : public CliFixture {
 protected:
  // It needs no server.
  CliImportTest() { environment_["HYDRA_SERVER"] = "unix:/no/such.sock"; }

  std::string Path(const std::string& name) const {
    return scratch_.path() + "/" + name;
  }

  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(Path(name)) << text;
    return Path(name);
  }

  static std::string Read(const std::string& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }
};

TEST_F(CliImportTest, PathsStayWhereTheJobFileLiesWhereTheyStart) {
  const std::string file = Write("hf.yaml", kAllCounterparts);
  const std::string to = Path("imported.yaml");
  EXPECT_EQ(Run({"import", file, "-o", to, "--base", scratch_.path()}),
            ExitCode::kOk)
      << err_.str();
  EXPECT_EQ(out_.str(), to + "\n");
  absl::StatusOr<JobFile> job = ParseJobFile(Read(to));
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->job.data().train_files(0), "corpus/train.txt");
  EXPECT_FALSE(fs::exists(to + ".part"));
  // The comments at the end say what standard error says.
  EXPECT_THAT(err_.str(), HasSubstr("line 8: report_to: 'wandb'"));
  EXPECT_THAT(Read(to), HasSubstr("#   line 8: report_to: 'wandb'"));
}

TEST_F(CliImportTest, PathsAreAbsoluteWhereTheJobFileLiesElsewhere) {
  const std::string file = Write("hf.yaml", kAllCounterparts);
  fs::create_directory(Path("jobs"));
  const std::string to = Path("jobs/imported.yaml");
  EXPECT_EQ(Run({"import", file, "-o", to, "--base", scratch_.path()}),
            ExitCode::kOk);
  absl::StatusOr<JobFile> job = ParseJobFile(Read(to));
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->job.model().path(), Path("models/tiny"));
  EXPECT_EQ(job->job.data().train_files(0), Path("corpus/train.txt"));
  EXPECT_EQ(job->job.output().output_dir(), Path("out"));
}

TEST_F(CliImportTest, WithoutAFileTheJobFileAloneGoesToStandardOutput) {
  in_.str(kAllCounterparts);
  EXPECT_EQ(Run({"import", "-"}), ExitCode::kOk);
  absl::StatusOr<JobFile> job = ParseJobFile(out_.str());
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_EQ(job->job.model().path(), fs::current_path() / "models/tiny");
}

TEST_F(CliImportTest, WhatTrainsAnotherModelIsAnErrorUnlessItMayBe) {
  const std::string file = Write(
      "hf.yaml", std::string(kAllCounterparts) + "torch_dtype: float16\n");
  EXPECT_EQ(Run({"import", file}), ExitCode::kFailed);
  EXPECT_THAT(err_.str(), AllOf(HasSubstr("line 9: torch_dtype: 'float16'; "
                                          "Hydra's moments and sums are fp32"),
                                HasSubstr("--anyway")));
  EXPECT_TRUE(ParseJobFile(out_.str()).ok());
  EXPECT_EQ(Run({"import", file, "--anyway"}), ExitCode::kOk);
  EXPECT_THAT(err_.str(), Not(HasSubstr("--anyway")));
}

TEST_F(CliImportTest, AnIndexOfDataSetsIsReadFromWherePathsStart) {
  fs::create_directory(Path("data"));
  Write("data/dataset_info.json",
        R"({"wiki": {"file_name": "w.jsonl", "columns": {"prompt": "text"}}})");
  in_.str(
      "{model_name_or_path: ./m, stage: pt, finetuning_type: full, "
      "dataset: wiki}");
  EXPECT_EQ(Run({"import", "-", "--base", scratch_.path()}), ExitCode::kOk)
      << err_.str();
  absl::StatusOr<JobFile> job = ParseJobFile(out_.str());
  ASSERT_TRUE(job.ok()) << job.status();
  ASSERT_EQ(job->job.data().train_files_size(), 1);
  EXPECT_EQ(job->job.data().train_files(0), Path("data/w.jsonl"));
}

TEST_F(CliImportTest, WhatCannotBeSubmittedIsNotValid) {
  const std::string file = Write(
      "hf.yaml", "model_name_or_path: /m\nper_device_train_batch_size: 2\n");
  EXPECT_EQ(Run({"import", file, "--anyway"}), ExitCode::kInvalid);
  EXPECT_THAT(err_.str(), HasSubstr("data.train_files: expected at least one"));
  EXPECT_THAT(out_.str(), HasSubstr("per_device_train_batch_size: 2"));
}

TEST_F(CliImportTest, WhatCannotBeReadWritesNothing) {
  const std::string to = Path("imported.yaml");
  for (const std::string text : {"", "- a\n", "a: [\n", "{\"name\": \"x\"}"}) {
    const std::string file = Write("other", text);
    EXPECT_EQ(Run({"import", file, "-o", to}), ExitCode::kInvalid) << text;
    EXPECT_THAT(err_.str(), AllOf(HasSubstr(file), HasSubstr("line 1")));
    EXPECT_THAT(out_.str(), IsEmpty());
    EXPECT_FALSE(fs::exists(to));
  }
  EXPECT_EQ(Run({"import", Path("none")}), ExitCode::kInvalid);
}

TEST_F(CliImportTest, AFileThatExistsIsKept) {
  const std::string file = Write("hf.yaml", kAllCounterparts);
  EXPECT_EQ(Run({"import", file, "-o", file}), ExitCode::kInvalid);
  EXPECT_THAT(err_.str(), HasSubstr(file + " exists"));
  EXPECT_EQ(Read(file), kAllCounterparts);
  EXPECT_NE(Run({"import", file, "-o", Path("nowhere/job.yaml")}),
            ExitCode::kOk);
}

}  // namespace
}  // namespace hydra
