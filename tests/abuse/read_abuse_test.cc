// Users who make hydrad read or write for them what is hydrad's or another's.

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/file/scratch_directory.h"
#include "tests/faults/fault_fixture.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
namespace v1 = hydra::v1;
using ::testing::HasSubstr;

class ReadAbuseTest : public FaultTest {
 protected:
  ReadAbuseTest() : cluster_(Options()) {}

  grpc::Status Submit(const v1::JobSpec& job) {
    v1::SubmitRequest request;
    *request.mutable_job() = job;
    grpc::ClientContext context;
    v1::SubmitResponse response;
    return cluster_.stub().Submit(&context, request, &response);
  }
  void ExpectRefused(const v1::JobSpec& job, const std::string& answer) {
    const grpc::Status status = Submit(job);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_THAT(status.error_message(), HasSubstr(answer));
  }

  // By name.
  std::map<std::string, std::string> Download(const std::string& job) {
    v1::DownloadRequest request;
    request.set_job_id(job);
    grpc::ClientContext context;
    const auto reader = cluster_.stub().Download(&context, request);
    std::map<std::string, std::string> files;
    std::string name;
    v1::DownloadResponse piece;
    while (reader->Read(&piece)) {
      if (!piece.file_name().empty()) name = piece.file_name();
      files[name] += piece.data();
    }
    reader->Finish();
    return files;
  }

  std::string UserFolder() {
    const std::string folder = FreshDirectory() + "/user";
    fs::create_directories(folder);
    return folder;
  }

  Cluster cluster_;
};

TEST_F(ReadAbuseTest, HydradsOwnFilesAreNoData) {
  for (const std::string& own :
       {cluster_.state_dir() + "/jobs.db", cluster_.directory() + "/pool",
        cluster_.directory() + "/pool.db"}) {
    ASSERT_TRUE(fs::exists(own)) << own;
    const std::string folder = UserFolder();
    fs::create_symlink(own, folder + "/link");
    fs::create_hard_link(own, folder + "/hard");
    for (const std::string& path : {own, folder + "/link", folder + "/hard"}) {
      v1::JobSpec job = spec();
      job.mutable_data()->set_train_files(0, path);
      ExpectRefused(job, "hydrad's own");
    }
  }
}

TEST_F(ReadAbuseTest, HydradsOwnFilesAreNoTokenizer) {
  const std::string folder = UserFolder();
  fs::create_symlink(cluster_.state_dir() + "/jobs.db", folder + "/vocab.json");
  v1::JobSpec job = spec();
  job.mutable_model()->set_tokenizer_path(folder);
  ExpectRefused(job, "hydrad's own");
}

TEST_F(ReadAbuseTest, ATokenizerThatBecomesALinkLaterIsNotCopied) {
  const std::string folder = UserFolder();
  for (const char* name : {"/tokenizer.json", "/vocab.json", "/merges.txt"}) {
    WriteFile(folder + name, "{}");
  }
  v1::JobSpec job = spec();
  job.mutable_model()->set_tokenizer_path(folder);
  const std::string id = cluster_.Submit(job);
  for (const auto& [name, own] : std::map<std::string, std::string>{
           {"/tokenizer.json", cluster_.state_dir() + "/jobs.db"},
           {"/vocab.json", cluster_.directory() + "/pool.db"}}) {
    fs::remove(folder + name);
    fs::create_symlink(own, folder + name);
  }
  fs::remove(folder + "/merges.txt");
  fs::create_hard_link(cluster_.state_dir() + "/jobs.db",
                       folder + "/merges.txt");
  ASSERT_TRUE(ExpectExact(cluster_.AwaitEnd(id)));
  const auto files = Download(id);
  EXPECT_EQ(files.count("model.safetensors"), 1);
  for (const char* name : {"tokenizer.json", "vocab.json", "merges.txt"}) {
    const auto file = files.find(name);
    // Copied before, or not at all.
    EXPECT_EQ(file == files.end() ? "{}" : file->second, "{}") << name;
  }
}

TEST_F(ReadAbuseTest, TheKernelsAnswersAreNoData) {
  v1::JobSpec job = spec();
  job.mutable_data()->set_train_files(
      0, absl::StrCat("/proc/", cluster_.WorkerPids()[0], "/environ"));
  ExpectRefused(job, "answer of the kernel");
}

TEST_F(ReadAbuseTest, NoJobNamesAFolderOfHydradsOwn) {
  const std::string outputs = cluster_.state_dir() + "/outputs";
  for (const std::string& path :
       {outputs + "/j18446744073709551614-x", outputs + "/j7-small/new",
        cluster_.state_dir() + "/tokens", cluster_.state_dir()}) {
    v1::JobSpec job = spec();
    job.mutable_output()->set_output_dir(path);
    ExpectRefused(job, "hydrad's own");
  }
  v1::JobSpec job = spec();
  job.mutable_output()->set_output_dir(outputs);
  EXPECT_TRUE(Submit(job).ok());
}

TEST_F(ReadAbuseTest, AFolderWithAHugeNumberDoesNotMakeIdsOverflow) {
  const std::string first = cluster_.Submit(spec());
  cluster_.StopDaemon();
  // As an earlier version let a user name it.
  fs::create_directories(cluster_.state_dir() +
                         "/outputs/j18446744073709551614-x");
  cluster_.StartDaemon();
  const std::string second = cluster_.Submit(spec());
  EXPECT_EQ(first, "j1");
  EXPECT_EQ(second, "j2");
  EXPECT_TRUE(ExpectExact(cluster_.AwaitEnd(first)));
  EXPECT_TRUE(ExpectExact(cluster_.AwaitEnd(second)));
}

TEST_F(ReadAbuseTest, WhatHydradKeepsIsForItAlone) {
  ASSERT_TRUE(ExpectExact(cluster_.Run(spec())));
  EXPECT_EQ(fs::status(cluster_.state_dir()).permissions(), fs::perms(0700));
  for (const char* folder :
       {"/tokens", "/partitions", "/outputs", "/logs", "/run"}) {
    EXPECT_EQ(fs::status(cluster_.state_dir() + folder).permissions(),
              fs::perms(0700))
        << folder;
  }
  for (const char* folder :
       {"/tokens", "/partitions", "/outputs", "/logs/jobs"}) {
    for (const auto& entry :
         fs::recursive_directory_iterator(cluster_.state_dir() + folder)) {
      EXPECT_EQ(entry.status().permissions() & fs::perms(0077), fs::perms::none)
          << entry.path();
    }
  }
}

}  // namespace
}  // namespace hydra
