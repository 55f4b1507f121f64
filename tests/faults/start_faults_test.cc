// Programs that cannot start, or start in an odd environment.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/file/scratch_directory.h"
#include "glog/logging.h"
#include "tests/faults/fault_fixture.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
namespace v1 = hydra::v1;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kNoLibrary[] =
    "error while loading shared libraries: libtorch_cpu.so";

class StartFaultsTest : public FaultTest {
 protected:
  // A program that a shell runs; it takes the place of an older one at once.
  static std::string Script(const std::string& path, const std::string& text) {
    WriteFile(path + ".new", "#!/bin/sh\n" + text + "\n");
    PCHECK(chmod((path + ".new").c_str(), 0700) == 0);
    fs::rename(path + ".new", path);
    return path;
  }
  static std::string LameWorker() {
    return Script(
        FreshDirectory() + "/worker",
        absl::StrCat("echo 'hydra-worker: ", kNoLibrary, "' >&2; exit 127"));
  }
  // A job file with the paths of files().
  std::string JobFile() const {
    const std::string path = FreshDirectory() + "/job.yaml";
    WriteFile(
        path,
        absl::StrCat("name: small\nmodel: {path: ", files().tiny_model,
                     "}\ndata: {train_files: [", files().train_tokens,
                     "], format: tokens_u16}\n"
                     "train: {max_steps: 3, context_length: 32, learning_rate: "
                     "0.001, per_device_train_batch_size: 4}\n"));
    return path;
  }
};

TEST_F(StartFaultsTest, F51AWorkerThatCannotStart) {
  const std::string worker = LameWorker();
  Cluster::Options options = Options();
  options.settings.push_back("worker_binary=" + worker);
  Cluster cluster(options);
  const std::string job = cluster.Submit(spec());
  v1::JobStatus pending;
  cluster.Await([&] {
    pending = cluster.Job(job).status();
    return absl::StrContains(pending.reason(), kNoLibrary);
  });
  EXPECT_EQ(pending.state(), v1::JOB_STATE_PENDING);
  EXPECT_THAT(pending.reason(), AllOf(HasSubstr("cpu:0"), HasSubstr("127")));
  cluster.Await([&] {
    return absl::StrContains(cluster.Workers()[1].reason(), kNoLibrary);
  });
  // Each pause is longer than the one before.
  const int restarts = cluster.Restarts();
  Script(worker,
         absl::StrCat("exec ", fs::absolute("worker/hydra-worker").string(),
                      " \"$@\""));
  const v1::JobDetail done = cluster.AwaitEnd(job);
  EXPECT_EQ(cluster.Workers()[0].reason(), "");
  EXPECT_LE(cluster.Restarts(), restarts + 4);
  Row("F51", "a worker program that ends with 127 at once",
      absl::StrCat("\"", pending.reason(), "\", until it is mended"),
      std::nullopt, ExpectExact(done));
}

TEST_F(StartFaultsTest, F51ARunWithoutAWorkerEnds) {
  const std::string directory = FreshDirectory();
  WriteFile(directory + "/hydrad.yaml", "worker_binary: " + LameWorker());
  const ProgramResult run =
      RunProgram({"client/hydra", "run", JobFile(), "--config",
                  directory + "/hydrad.yaml", "--hydrad", "scheduler/hydrad",
                  "--device=cpu:0", "--device-memory=64MiB",
                  "--pool-size=64MiB", "--state-dir", directory + "/state"});
  EXPECT_EQ(run.code, 5) << run.output;
  EXPECT_THAT(run.output, HasSubstr(kNoLibrary));
  EXPECT_THAT(run.output, HasSubstr("hydrad.log"));
}

}  // namespace
}  // namespace hydra
