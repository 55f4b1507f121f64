// Input that turns out to be bad on the way: it fails its own job alone.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/file/scratch_directory.h"
#include "tests/faults/fault_fixture.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
namespace v1 = hydra::v1;
using ::testing::AllOf;
using ::testing::HasSubstr;

// The most memory that the process ever had, in bytes.
int64_t PeakBytes(pid_t pid) {
  const std::string status = ReadFile(absl::StrCat("/proc/", pid, "/status"));
  const std::string after = status.substr(status.find("VmHWM:") + 6);
  int64_t kibibytes = 0;
  const std::vector<std::string> words =
      absl::StrSplit(after, absl::ByAnyChar(" \t\n"), absl::SkipEmpty());
  EXPECT_TRUE(absl::SimpleAtoi(words.front(), &kibibytes));
  return kibibytes << 10;
}

class InputFaultsTest : public FaultTest {
 protected:
  // The bad job and a good one beside it; what the bad one failed with.
  std::string ExpectFailsAlone(const std::string& id, const std::string& what,
                               const v1::JobSpec& bad) {
    Cluster cluster(Options());
    const std::string good_job = cluster.Submit(spec());
    const std::string bad_job = cluster.Submit(bad);
    const v1::JobDetail failed = cluster.AwaitEnd(bad_job);
    EXPECT_EQ(failed.status().state(), v1::JOB_STATE_FAILED);
    const v1::JobDetail done = cluster.AwaitEnd(good_job);
    EXPECT_EQ(cluster.Restarts(), 0);
    Row(id, what, failed.status().reason(), std::nullopt, ExpectExact(done));
    return failed.status().reason();
  }
};

TEST_F(InputFaultsTest, F10ATokenIdOutsideOfTheVocabulary) {
  constexpr int kBadToken = 1234;
  std::string tokens = ReadFile(files().train_tokens);
  tokens[2 * kBadToken + 1] = '\x7f';
  const std::string file = FreshDirectory() + "/bad.bin";
  WriteFile(file, tokens);
  v1::JobSpec bad = spec();
  bad.mutable_data()->set_train_files(0, file);
  EXPECT_THAT(ExpectFailsAlone("F10", "a token id over the vocabulary", bad),
              AllOf(HasSubstr("INVALID_ARGUMENT"), HasSubstr(file),
                    HasSubstr(absl::StrCat(kBadToken))));
}

TEST_F(InputFaultsTest, F28AModelCutShortAfterItsSubmission) {
  // It is cut after it was checked, and before it is read.
  const std::string is_cut = Marker();
  Cluster cluster(
      Options(absl::StrCat("worker.before_report/1=until:", is_cut, "@1")));
  const std::string model = FreshDirectory() + "/model";
  fs::copy(files().tiny_model, model);
  v1::JobSpec bad = spec();
  bad.mutable_model()->set_path(model);
  const std::string bad_job = cluster.Submit(bad);
  ASSERT_EQ(bad_job, "j1");
  const std::string weights = model + "/model.safetensors";
  fs::resize_file(weights, fs::file_size(weights) / 2);
  WriteFile(is_cut, "");
  const std::string good_job = cluster.Submit(spec());
  const v1::JobDetail failed = cluster.AwaitEnd(bad_job);
  EXPECT_EQ(failed.status().state(), v1::JOB_STATE_FAILED);
  EXPECT_THAT(failed.status().reason(), HasSubstr(model));
  const v1::JobDetail done = cluster.AwaitEnd(good_job);
  EXPECT_EQ(cluster.Restarts(), 0);
  Row("F28", "model.safetensors cut in half after the submission",
      failed.status().reason(), std::nullopt, ExpectExact(done));
}

TEST_F(InputFaultsTest, F33AnInfiniteLearningRateFailsTheJob) {
  v1::JobSpec bad = spec();
  bad.mutable_train()->set_learning_rate(1e30);
  EXPECT_THAT(ExpectFailsAlone("F33", "learning_rate 1e30", bad),
              AllOf(HasSubstr("NONFINITE"), HasSubstr("layers ["),
                    HasSubstr("train.max_nonfinite_steps is 0")));
}

TEST_F(InputFaultsTest, F33AJobFailsAfterAsManyBadStepsAsItAllows) {
  v1::JobSpec bad = spec();
  bad.mutable_train()->set_learning_rate(1e30);
  bad.mutable_train()->set_max_nonfinite_steps(2);
  EXPECT_THAT(ExpectFailsAlone("F33",
                               "learning_rate 1e30, "
                               "train.max_nonfinite_steps 2",
                               bad),
              AllOf(HasSubstr("NONFINITE"),
                    HasSubstr("train.max_nonfinite_steps is 2")));
}

TEST_F(InputFaultsTest, F33BadStepsAreSkippedIfTheJobAllowsThem) {
  v1::JobSpec bad = spec();
  bad.mutable_train()->set_learning_rate(1e30);
  bad.mutable_train()->set_max_nonfinite_steps(1000);
  Cluster cluster(Options());
  const std::string good_job = cluster.Submit(spec());
  const v1::JobDetail skipping = cluster.Run(bad);
  EXPECT_EQ(skipping.status().state(), v1::JOB_STATE_COMPLETED)
      << skipping.status().reason();
  EXPECT_GT(skipping.totals().nonfinite_steps(), kSteps / 2);
  EXPECT_GT(skipping.steps(kSteps - 1).skipped_blocks(), 0);
  const v1::JobDetail done = cluster.AwaitEnd(good_job);
  Row("F33", "learning_rate 1e30, train.max_nonfinite_steps 1000",
      absl::StrCat("completed, ", skipping.totals().nonfinite_steps(),
                   " steps recorded as skipped"),
      std::nullopt, ExpectExact(done));
}

TEST_F(InputFaultsTest, F23DeeplyNestedInputTakesNoMemory) {
  constexpr int kDepth = 10'000;
  Cluster cluster(Options());
  v1::SubmitRequest request;
  *request.mutable_job() = spec();
  request.set_validate_only(true);
  auto submit = [&] {
    grpc::ClientContext context;
    v1::SubmitResponse response;
    return cluster.stub().Submit(&context, request, &response);
  };
  EXPECT_TRUE(submit().ok());
  const int64_t before = PeakBytes(cluster.daemon_pid());

  const std::string model = FreshDirectory() + "/model";
  fs::copy(files().tiny_model, model);
  WriteFile(model + "/config.json",
            absl::StrCat("{\"model_type\": ", std::string(kDepth, '['),
                         std::string(kDepth, ']'), "}"));
  request.mutable_job()->mutable_model()->set_path(model);
  const grpc::Status nested_json = submit();
  EXPECT_EQ(nested_json.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  request.mutable_job()->mutable_model()->set_path(files().tiny_model);
  const int64_t more = PeakBytes(cluster.daemon_pid()) - before;
  EXPECT_LT(more, 10 << 20);
  Row("F23", absl::StrCat("config.json nested ", kDepth, " deep"),
      absl::StrCat(nested_json.error_message().substr(0, 120), "; ", more,
                   " more bytes of memory"),
      std::nullopt, std::nullopt);
}

}  // namespace
}  // namespace hydra
