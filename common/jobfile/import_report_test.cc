#include "common/jobfile/import_report.h"

#include "common/jobfile/job_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

using Fate = ImportedKey::Fate;

TEST(ImportReportTest, EveryKeyIsUnderWhatBecameOfIt) {
  ImportedJob job;
  job.tool = "Axolotl";
  job.keys = {{Fate::kTaken, 1, "a", "train.seed", "'1'"},
              {Fate::kLost, 2, "b", "", "why"},
              {Fate::kAssumed, 0, "c", "train.optim", "'sgd'"},
              {Fate::kLeftOut, 4, "d", "", "not needed"}};
  EXPECT_THAT(ImportReport(job),
              AllOf(StartsWith("Read as a configuration of Axolotl.\n"
                               "No counterpart"),
                    HasSubstr(":\n  line 2: b: why\nUnderstood:\n"
                              "  line 1: a -> train.seed: '1'\n"),
                    HasSubstr("does it so:\n  not in the file: c -> train"),
                    HasSubstr("the same:\n  line 4: d: not needed\nIn any")));
}

TEST(ImportReportTest, OnlyWhatIsLostTrainsAnotherModel) {
  ImportedJob job;
  job.keys = {{Fate::kTaken, 1, "a", "", ""},
              {Fate::kAssumed, 0, "c", "", ""},
              {Fate::kLeftOut, 4, "d", "", ""}};
  EXPECT_FALSE(TrainsAnother(job));
  job.keys.push_back({Fate::kLost, 2, "b", "", "why"});
  EXPECT_TRUE(TrainsAnother(job));
}

TEST(ImportReportTest, SaysWhatIsMissing) {
  ImportedJob job;
  AddMistake("model.path", "expected it", &job.mistakes);
  EXPECT_THAT(ImportReport(job), HasSubstr("\n  model.path: expected it\n"));
}

// Whatever a key is, a comment stays one.
TEST(ImportReportTest, TheJobFileHasItAsComments) {
  ImportedJob job;
  job.tool = "TRL";
  job.fields["train.seed"] = {"7"};
  job.keys = {
      {Fate::kLost, 2, "b\ntrain: {seed: 8}\r\x1b[2J", "", "c\nmodel: x"}};
  const std::string yaml = ImportedYaml(job);
  EXPECT_THAT(yaml, AllOf(StartsWith("train:\n  seed: 7\n# Read as"),
                          Not(HasSubstr("\x1b")), Not(HasSubstr("\nmodel"))));
  const absl::StatusOr<JobFile> file = ParseJobFile(yaml);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->job.train().seed(), 7);
  EXPECT_FALSE(file->job.has_model());
}

}  // namespace
}  // namespace hydra
