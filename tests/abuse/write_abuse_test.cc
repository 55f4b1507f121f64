// Users who rename folders while their jobs run, so that hydrad would write and
// remove what is another's.

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/file/scratch_directory.h"
#include "tests/abuse/other_user.h"
#include "tests/e2e/call.h"
#include "tests/faults/fault_fixture.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
namespace v1 = hydra::v1;
using ::testing::HasSubstr;

// "another" has a model with checkpoints, which hydrad's user alone may change.
// The other user has "own", and may do in it what he wants.
class WriteAbuseTest : public FaultTest {
 protected:
  WriteAbuseTest() : cluster_(Options()) {
    fs::permissions(cluster_.directory(), fs::perms(0755));
    fs::create_directory(PathOf("another"));
    for (const char* name : {"own", "own/out"}) {
      fs::create_directory(PathOf(name));
      if (!CanBecomeOtherUser()) continue;
      EXPECT_EQ(chown(PathOf(name).c_str(), kOtherUser, kOtherUser), 0);
    }
    const v1::JobDetail job = cluster_.Run(JobIn("another", spec()));
    anothers_model_ = job.output_path();
    EXPECT_EQ(job.status().state(), v1::JOB_STATE_COMPLETED);
    // A checkpoint may still be under way when its job has ended.
    cluster_.StopDaemon();
    cluster_.StartDaemon();
    another_ = Tree("another");
    // A model and its checkpoints.
    EXPECT_GE(another_.size(), 10);
  }
  ~WriteAbuseTest() override {
    EXPECT_EQ(Tree("another"), another_);
    EXPECT_EQ(cluster_.Job("j1").status().state(), v1::JOB_STATE_COMPLETED);
  }

  std::string PathOf(const std::string& name) const {
    return cluster_.directory() + "/" + name;
  }

  v1::JobSpec JobIn(const std::string& folder, v1::JobSpec job) const {
    job.mutable_output()->set_output_dir(PathOf(folder));
    // So that both jobs' checkpoints have the same names.
    job.mutable_checkpoint()->set_every_steps(10);
    return job;
  }

  // Hashes of what is in a folder, by path.
  std::map<std::string, size_t> Tree(const std::string& name) const {
    std::map<std::string, size_t> files;
    for (const auto& entry : fs::recursive_directory_iterator(PathOf(name))) {
      const std::string path = entry.path().string();
      files[path] = entry.is_regular_file()
                        ? std::hash<std::string>()(ReadFile(path))
                        : 0;
    }
    return files;
  }

  // The other user's job, once it has a checkpoint.
  v1::JobDetail BeginJob() {
    const std::string job = cluster_.Submit(JobIn("own/out", LongSpec()));
    cluster_.AwaitJob(job, [](const v1::JobDetail& detail) {
      return detail.checkpoints_size() > 0;
    });
    return cluster_.Job(job);
  }

  // As the other user: `path` goes away, and is a link from now on.
  void Swap(const std::string& path, const std::string& target) {
    const std::string moved = path + ".moved";
    const OtherUser attacker([&] {
      return rename(path.c_str(), moved.c_str()) == 0 &&
                     symlink(target.c_str(), path.c_str()) == 0
                 ? 0
                 : errno;
    });
    ASSERT_EQ(attacker.result(), 0);
  }

  // The job goes on no more for the reason that `path` is a link, and says so.
  void ExpectTold(const std::string& job, const std::string& path) {
    const std::string why = path + " is a symbolic link";
    v1::JobStatus status;
    cluster_.Await([&] {
      status = cluster_.Job(job).status();
      return status.state() != v1::JOB_STATE_PENDING &&
             status.state() != v1::JOB_STATE_RUNNING;
    });
    EXPECT_THAT(status.reason(), HasSubstr(why)) << status.ShortDebugString();
    EXPECT_THAT(LogOf(cluster_, job), HasSubstr(why));
  }

  Cluster cluster_;
  std::string anothers_model_;
  std::map<std::string, size_t> another_;
};

TEST_F(WriteAbuseTest, AJobsFolderThatBecomesALinkToAnothersModel) {
  const v1::JobDetail job = BeginJob();
  Swap(job.output_path(), anothers_model_);
  ExpectTold(job.status().job_id(), job.output_path());
}

TEST_F(WriteAbuseTest, AnOutputFolderThatBecomesALinkToAnothers) {
  const v1::JobDetail job = BeginJob();
  Swap(PathOf("own/out"), PathOf("another"));
  ExpectTold(job.status().job_id(), PathOf("own/out"));
}

TEST_F(WriteAbuseTest, CheckpointsThatAreToBeDeleted) {
  const v1::JobDetail job = BeginJob();
  Swap(job.output_path(), anothers_model_);
  v1::CancelRequest request;
  request.set_job_id(job.status().job_id());
  request.set_delete_checkpoints(true);
  Call(cluster_.stub(), &v1::HydraService::Stub::Cancel, request);
  cluster_.AwaitEnd(job.status().job_id());
  cluster_.Await([&] {
    return absl::StrContains(
        LogOf(cluster_, job.status().job_id()),
        absl::StrCat("a checkpoint stays on the disk: ", job.output_path(),
                     " is a symbolic link"));
  });
}

TEST_F(WriteAbuseTest, WhatAStartedDaemonLooksForAndRemoves) {
  const v1::JobDetail job = BeginJob();
  cluster_.KillDaemon();
  Swap(job.output_path(), anothers_model_);
  // A leftover by its name.
  const std::string leftover =
      anothers_model_ + "/checkpoints/checkpoint-10.tmp-1";
  fs::create_directory(leftover);
  another_ = Tree("another");
  cluster_.StartDaemon();
  ExpectTold(job.status().job_id(), job.output_path());
}

TEST_F(WriteAbuseTest, AnothersModelIsNotDownloaded) {
  v1::JobSpec small = spec();
  small.mutable_train()->set_max_steps(1);
  const v1::JobDetail job = cluster_.Run(JobIn("own/out", small));
  ASSERT_EQ(job.status().state(), v1::JOB_STATE_COMPLETED);
  Swap(job.output_path(), anothers_model_);
  v1::DownloadRequest request;
  request.set_job_id(job.status().job_id());
  grpc::ClientContext context;
  const auto reader = cluster_.stub().Download(&context, request);
  v1::DownloadResponse piece;
  EXPECT_FALSE(reader->Read(&piece));
  const grpc::Status status = reader->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(),
              HasSubstr(job.output_path() + " is a symbolic link"));
}

}  // namespace
}  // namespace hydra
