// A server that is reached by ssh. In place of ssh is a script that runs the
// command here; the proxy that it runs is the program itself.
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "client/testing/fake_server.h"
#include "common/file/scratch_directory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;

using ::testing::AllOf;
using ::testing::HasSubstr;

// Writes down its options and the host, and runs the rest as a shell does.
constexpr char kFakeSsh[] = R"(#!/bin/sh
options=
while [ "$1" != -- ]; do options="$options $1"; shift; done
echo "$options $2" >>"$SCRATCH/logins"
shift 2
exec sh -c "$*"
)";

struct Result {
  int code = -1;
  // Standard output and standard error.
  std::string output;
};

class SshTest : public ::testing::Test {
 protected:
  SshTest() {
    fs::create_symlink(fs::absolute("client/hydra"), Path("hydra"));
    WriteSsh(kFakeSsh);
    const char* const path = getenv("PATH");
    setenv(
        "PATH",
        absl::StrCat(scratch_.path(), ":", path == nullptr ? "" : path).c_str(),
        /*overwrite=*/1);
    setenv("SCRATCH", scratch_.path().c_str(), /*overwrite=*/1);
    const std::string socket = server_.address().substr(strlen("unix:"));
    setenv("HYDRA_SERVER", absl::StrCat("ssh://ann@gpu1:2222", socket).c_str(),
           /*overwrite=*/1);
    server_.service().info_response.set_version("9.9");
  }

  void WriteSsh(const std::string& script) {
    std::ofstream(Path("ssh")) << script;
    chmod(Path("ssh").c_str(), 0755);
  }

  static Result Bash(const std::string& script) {
    setenv("SCRIPT", script.c_str(), /*overwrite=*/1);
    FILE* const pipe = popen("exec bash -c \"$SCRIPT\" 2>&1 </dev/null", "r");
    Result result;
    for (int c = fgetc(pipe); c != EOF; c = fgetc(pipe)) {
      result.output += static_cast<char>(c);
    }
    result.code = WEXITSTATUS(pclose(pipe));
    return result;
  }

  std::string Path(const std::string& name) const {
    return scratch_.path() + "/" + name;
  }

  std::string Logins() const {
    std::ifstream file(Path("logins"));
    return std::string(std::istreambuf_iterator<char>(file), {});
  }

  static Take<v1::WatchResponse> WatchTake(v1::JobState state) {
    Take<v1::WatchResponse> take;
    v1::JobStatus& job = *take.messages.emplace_back().add_jobs();
    job.set_job_id("j1");
    job.set_state(state);
    return take;
  }

  FakeServer server_;
  ScratchDirectory scratch_;
};

TEST_F(SshTest, CallsAndStreamsGoOverOneLogin) {
  const Result info = Bash("hydra info");
  EXPECT_EQ(info.code, 0) << info.output;
  EXPECT_THAT(info.output,
              AllOf(HasSubstr("ssh://ann@gpu1:2222/"), HasSubstr("9.9")));
  EXPECT_EQ(Logins(), " -T -p 2222 -l ann gpu1\n");
  for (int i = 0; i < 20'000; ++i) {
    server_.service().list_response.add_jobs()->set_job_id("j1");
  }
  const Result list = Bash("hydra list -o id | wc -l");
  EXPECT_EQ(list.output, "20000\n");
  server_.service().watch_takes = {WatchTake(v1::JOB_STATE_COMPLETED)};
  EXPECT_EQ(Bash("hydra watch j1").code, 0);
  EXPECT_EQ(Logins(),
            " -T -p 2222 -l ann gpu1\n -T -p 2222 -l ann gpu1\n -T -p 2222 -l "
            "ann gpu1\n");
}

TEST_F(SshTest, AfterABreakItLogsInAgain) {
  auto running = WatchTake(v1::JOB_STATE_RUNNING);
  running.stays_open = true;
  server_.service().watch_takes = {running, WatchTake(v1::JOB_STATE_COMPLETED)};
  std::thread restarting([this] {
    {
      FakeHydraService& service = server_.service();
      absl::MutexLock lock(&service.mu);
      const auto asked = [&service] { return !service.watch_requests.empty(); };
      service.mu.Await(absl::Condition(&asked));
    }
    server_.Stop();
    server_.Start();
  });
  const Result watch = Bash("hydra watch j1");
  restarting.join();
  EXPECT_EQ(watch.code, 0) << watch.output;
  EXPECT_THAT(watch.output, AllOf(HasSubstr("lost the server"),
                                  HasSubstr("connected again")));
}

TEST_F(SshTest, WhatSshSaysIsShown) {
  WriteSsh(
      "#!/bin/sh\necho 'ssh: connect to host gpu1: no route' >&2\nexit 255");
  const Result info = Bash("hydra info");
  EXPECT_EQ(info.code, 5);
  EXPECT_THAT(info.output,
              AllOf(HasSubstr("server ssh://ann@gpu1:2222/"),
                    HasSubstr("ssh exited with code 255: ssh: connect to host "
                              "gpu1: no route")));
}

TEST_F(SshTest, WhatTheProxySaysIsShown) {
  const Result info = Bash("hydra info --server ssh://gpu1/no/such.sock");
  EXPECT_EQ(info.code, 5);
  EXPECT_THAT(info.output,
              HasSubstr("ssh exited with code 5: hydra: cannot connect to "
                        "/no/such.sock: No such file or directory; is hydrad "
                        "running?"));
}

TEST_F(SshTest, WithoutSshItIsNotFound) {
  fs::remove(Path("ssh"));
  const Result info = Bash("hydra=$(command -v hydra); PATH=/none $hydra info");
  EXPECT_EQ(info.code, 3);
  EXPECT_THAT(info.output, HasSubstr("cannot run ssh"));
}

TEST_F(SshTest, AHydraThatIsCalledHydractlThereIsPreferred) {
  fs::rename(Path("hydra"), Path("client"));
  fs::create_symlink("client", Path("hydractl"));
  std::ofstream(Path("hydra")) << "#!/bin/sh\necho another program\n";
  chmod(Path("hydra").c_str(), 0755);
  const Result info = Bash("hydractl info");
  EXPECT_EQ(info.code, 0) << info.output;
  EXPECT_THAT(info.output, HasSubstr("9.9"));
}

TEST_F(SshTest, TheProxyIsForUnixSocketsAlone) {
  const Result proxy = Bash("hydra proxy --server localhost:7070");
  EXPECT_EQ(proxy.code, 2);
  EXPECT_THAT(proxy.output, HasSubstr("the server is localhost:7070"));
}

}  // namespace
}  // namespace hydra
