// hydra submit.

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "client/testing/cli_fixture.h"
#include "common/jobfile/mistakes.h"
#include "common/status/rpc_status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

using CliSubmitTest = CliFixture;

TEST_F(CliSubmitTest, SubmitSaysWhatToWriteInPlaceOfAHubsModel) {
  Mistakes mistakes;
  AddMistake("model.path", "/x/acme/tiny does not exist", &mistakes);
  service_.error = ToGrpc(ToStatus(mistakes));
  std::string text = kJobFile;
  text.replace(text.find("models/tiny"), 11, "acme/tiny");
  std::ofstream(JobFilePath()) << text;
  EXPECT_EQ(Run({"submit", JobFilePath()}), ExitCode::kInvalid);
  EXPECT_THAT(err_.str(), HasSubstr("huggingface-cli download acme/tiny"));
}

TEST_F(CliSubmitTest, SubmitSendsTheJobFileWithAbsolutePaths) {
  service_.submit_response.set_sweep_id("s1");
  *service_.submit_response.add_jobs() = Job("j1", v1::JOB_STATE_PENDING);
  EXPECT_EQ(Run({"submit", JobFilePath(), "-o", "id"}), ExitCode::kOk);
  EXPECT_THAT(OutLines(), ElementsAre("s1", "j1"));
  ASSERT_THAT(service_.submit_requests, SizeIs(1));
  const v1::SubmitRequest& request = service_.submit_requests[0];
  EXPECT_EQ(request.job().model().path(), scratch_.path() + "/models/tiny");
  EXPECT_EQ(request.job().data().train_files(0),
            scratch_.path() + "/train.txt");
  EXPECT_THAT(request.request_id(), SizeIs(32));
  EXPECT_FALSE(request.validate_only());

  EXPECT_EQ(Run({"submit", JobFilePath()}), ExitCode::kOk);
  EXPECT_EQ(OutLines()[0], "s1");
  EXPECT_THAT(OutLines()[2], AllOf(HasSubstr("j1"), HasSubstr("tiny")));
  EXPECT_NE(service_.submit_requests[1].request_id(),
            service_.submit_requests[0].request_id());
}

TEST_F(CliSubmitTest, SubmitReadsStandardInput) {
  in_.str(kJobFile);
  EXPECT_EQ(Run({"submit", "-", "--validate-only"}), ExitCode::kOk);
  ASSERT_THAT(service_.submit_requests, SizeIs(1));
  EXPECT_TRUE(service_.submit_requests[0].validate_only());
  EXPECT_EQ(service_.submit_requests[0].job().model().path(),
            (fs::current_path() / "models/tiny").string());
}

TEST_F(CliSubmitTest, SubmitSaysWhatOfTheInputIsNotUsed) {
  service_.submit_response.set_sweep_id("s1");
  service_.submit_response.add_warnings("score.weight is not used");
  EXPECT_EQ(Run({"submit", JobFilePath(), "-o", "id"}), ExitCode::kOk);
  EXPECT_THAT(OutLines(), ElementsAre("s1"));
  EXPECT_THAT(err_.str(),
              HasSubstr("hydra: warning: score.weight is not used\n"));
}

TEST_F(CliSubmitTest, SubmitPrintsEveryMistakeThatTheServerFound) {
  Mistakes mistakes;
  for (const char* field : {"model.path", "train.learning_rate"}) {
    AddMistake(field, "is wrong", &mistakes);
  }
  service_.error = ToGrpc(ToStatus(mistakes));
  EXPECT_EQ(Run({"submit", JobFilePath()}), ExitCode::kInvalid);
  EXPECT_THAT(err_.str(),
              AllOf(HasSubstr("\nmodel.path: is wrong"),
                    HasSubstr("\ntrain.learning_rate: is wrong\n")));
}

TEST_F(CliSubmitTest, SubmitTellsTheFilesAndTheServersMistakesInOneAnswer) {
  std::ofstream(JobFilePath()) << R"(
nmae: tiny
model: {path: nowhere}
data: {train_files: [a.txt, {b: c}, d.txt]}
train: {max_steps: -1, learning_rate: fast}
)";
  Mistakes mistakes;
  for (const char* field :
       {"model.path", "data.train_files[1]", "data.train_files[2]",
        "train.max_steps", "train.learning_rate",
        "train.per_device_train_batch_size"}) {
    AddMistake(field, "is wrong", &mistakes);
  }
  service_.error = ToGrpc(ToStatus(mistakes));
  for (const char* more : {"-ojson", "--validate-only"}) {
    service_.submit_requests.clear();
    EXPECT_EQ(Run({"submit", JobFilePath(), more}), ExitCode::kInvalid);
    const std::vector<std::string> lines =
        absl::StrSplit(err_.str(), '\n', absl::SkipEmpty());
    EXPECT_THAT(
        lines, ElementsAre(
                   "hydra: the job file is not valid",
                   StartsWith("nmae: line 2: unknown key 'nmae'"),
                   "model.path: is wrong",
                   StartsWith("data.train_files[1]: line 4: expected text"),
                   "data.train_files[2]: is wrong", "train.max_steps: is wrong",
                   StartsWith("train.learning_rate: line 5: expected a number"),
                   "train.per_device_train_batch_size: is wrong"));
    ASSERT_THAT(service_.submit_requests, SizeIs(1));
    EXPECT_TRUE(service_.submit_requests[0].validate_only());
    EXPECT_EQ(service_.submit_requests[0].job().data().train_files(2),
              scratch_.path() + "/d.txt");
  }
}

TEST_F(CliSubmitTest, AFileWithMistakesIsNotSubmittedIfTheServerFindsNone) {
  std::ofstream(JobFilePath(), std::ios::app) << "nmae: x\n";
  service_.submit_response.set_sweep_id("s1");
  EXPECT_EQ(Run({"submit", JobFilePath()}), ExitCode::kInvalid);
  EXPECT_THAT(err_.str(), AllOf(HasSubstr("\nnmae: line 6: "),
                                Not(HasSubstr("not checked"))));
  EXPECT_THAT(out_.str(), IsEmpty());
  ASSERT_THAT(service_.submit_requests, SizeIs(1));
  EXPECT_TRUE(service_.submit_requests[0].validate_only());
  // What is unread may be why it does not fit.
  service_.error =
      grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "needs 7 B");
  EXPECT_EQ(Run({"submit", JobFilePath()}), ExitCode::kInvalid);
  EXPECT_THAT(err_.str(), AllOf(HasSubstr("\nnmae: line 6: "),
                                Not(HasSubstr("needs 7 B"))));
}

TEST_F(CliSubmitTest, SubmitFindsMistakesInTheFileWithoutTheServer) {
  environment_["HYDRA_SERVER"] = "unix:/no/such.sock";
  std::ofstream(JobFilePath()) << "nmae: x\n";
  EXPECT_EQ(Run({"submit", JobFilePath()}), ExitCode::kInvalid);
  EXPECT_THAT(err_.str(),
              AllOf(HasSubstr("\nnmae: line 1: "),
                    HasSubstr("\nhydra: values, files and the model were not "
                              "checked: ")));
  EXPECT_EQ(Run({"run", JobFilePath(), "--hydrad", "/no/such/hydrad"}),
            ExitCode::kInvalid);
  EXPECT_THAT(err_.str(),
              AllOf(HasSubstr("\nnmae: line 1: "), HasSubstr("not checked: "),
                    HasSubstr("/no/such/hydrad")));
  std::ofstream(JobFilePath()) << "name: [x\n";
  EXPECT_EQ(Run({"submit", JobFilePath()}), ExitCode::kInvalid);
  EXPECT_THAT(err_.str(),
              AllOf(HasSubstr("line "), Not(HasSubstr("not checked"))));
  EXPECT_EQ(Run({"submit", scratch_.path() + "/none"}), ExitCode::kInvalid);
  EXPECT_THAT(err_.str(), HasSubstr("No such file"));
}

TEST_F(CliSubmitTest, SubmitWatchShowsProgressThenTheLeaderboard) {
  service_.submit_response.set_sweep_id("s1");
  *service_.submit_response.add_jobs() = Job("j1", v1::JOB_STATE_PENDING);
  service_.watch_takes.push_back(WatchTake(v1::JOB_STATE_COMPLETED));
  *service_.results_response.add_jobs() = Job("j1", v1::JOB_STATE_COMPLETED);
  EXPECT_EQ(Run({"submit", JobFilePath(), "--watch"}), ExitCode::kOk);
  EXPECT_THAT(out_.str(), HasSubstr("RANK"));
  EXPECT_THAT(err_.str(), HasSubstr("j1 tiny: completed"));
  EXPECT_EQ(service_.watch_requests[0].sweep_id(), "s1");
}

}  // namespace
}  // namespace hydra
