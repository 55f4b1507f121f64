#include "tests/e2e/bad_input.h"

#include <gmock/gmock.h>

#include <cstdio>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/file/scratch_directory.h"

namespace hydra {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

Cluster* BadInputTest::cluster_ = nullptr;
SmallJobFiles* BadInputTest::files_ = nullptr;
int BadInputTest::paths_ = 0;

void BadInputTest::SetUpTestSuite() {
  Cluster::Options options;
  options.devices = {"cpu:0=16MiB"};
  options.settings = {"pool.size_bytes=64MiB"};
  cluster_ = new Cluster(options);
  files_ = new SmallJobFiles(MakeSmallJobFiles(cluster_->directory()));
}

void BadInputTest::TearDownTestSuite() {
  delete files_;
  delete cluster_;
}

v1::SubmitRequest BadInputTest::Good() {
  v1::SubmitRequest request;
  *request.mutable_job() = SmallJob(*files_, {2});
  return request;
}

grpc::Status BadInputTest::Submit(const v1::SubmitRequest& request) {
  grpc::ClientContext context;
  v1::SubmitResponse response;
  return cluster_->stub().Submit(&context, request, &response);
}

void BadInputTest::ExpectServesOn() {
  v1::SubmitRequest request = Good();
  request.set_validate_only(true);
  const grpc::Status status = Submit(request);
  EXPECT_TRUE(status.ok()) << status.error_message();
}

void BadInputTest::ExpectTrainsOn() {
  v1::JobSpec good = Good().job();
  good.mutable_train()->set_max_steps(1);
  good.mutable_data()->clear_validation_files();
  good.mutable_evaluation()->clear_eval_steps();
  const v1::JobDetail job = cluster_->Run(good);
  EXPECT_EQ(job.status().state(), v1::JOB_STATE_COMPLETED)
      << job.status().reason();
}

void BadInputTest::Report(const std::string& what, int code,
                          const std::string& answer) {
  const std::string line = answer.substr(0, answer.find('\n'));
  std::printf("| %s | %d | %s |\n", what.c_str(), code,
              absl::StrReplaceAll(line, {{cluster_->directory(), "DIR"},
                                         {fs::current_path().string(), "."}})
                  .c_str());
}

void BadInputTest::ExpectRefused(const Submission& submission) {
  SCOPED_TRACE(submission.what);
  v1::SubmitRequest request = Good();
  submission.spoil(request);
  const grpc::Status status = Submit(request);
  EXPECT_EQ(status.error_code(), submission.code) << status.error_message();
  EXPECT_THAT(status.error_message(), HasSubstr(submission.answer));
  for (const std::string& answer : submission.more) {
    EXPECT_THAT(status.error_message(), HasSubstr(answer));
  }
  Report(submission.what, status.error_code(), status.error_message());
  ExpectServesOn();
}

void BadInputTest::ExpectFails(const Submission& submission) {
  SCOPED_TRACE(submission.what);
  v1::SubmitRequest request = Good();
  submission.spoil(request);
  const std::string id = cluster_->Submit(request).front();
  const v1::JobDetail job = cluster_->AwaitEnd(id);
  EXPECT_EQ(job.status().state(), v1::JOB_STATE_FAILED);
  EXPECT_THAT(job.status().reason(), HasSubstr(submission.answer));
  for (const std::string& answer : submission.more) {
    EXPECT_THAT(job.status().reason(), HasSubstr(answer));
  }
  Report(submission.what + " (the job fails)", 0, job.status().reason());
  ExpectServesOn();
}

std::string BadInputTest::NewPath() {
  return absl::StrCat(cluster_->directory(), "/bad", ++paths_);
}

std::string BadInputTest::ModelWith(const std::string& file,
                                    const std::string& content) {
  const std::string path = NewPath();
  fs::create_directories(path);
  for (const char* name : {"config.json", "model.safetensors"}) {
    WriteFile(absl::StrCat(path, "/", name),
              ReadFile(absl::StrCat(files_->tiny_model, "/", name)));
  }
  WriteFile(absl::StrCat(path, "/", file), content);
  return path;
}

std::string BadInputTest::FileWith(const std::string& content) {
  const std::string path = NewPath();
  WriteFile(path, content);
  return path;
}

std::string BadInputTest::Weights() {
  return ReadFile(files_->tiny_model + "/model.safetensors");
}

}  // namespace hydra
