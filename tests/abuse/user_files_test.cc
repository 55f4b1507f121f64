// Files as the user: with hydra-files, what a job may read and write is what
// the kernel lets its user read and write.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/file/scratch_directory.h"
#include "tests/abuse/other_user.h"
#include "tests/e2e/cluster.h"
#include "tests/e2e/small_job.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
namespace v1 = hydra::v1;
using ::testing::HasSubstr;

constexpr char kFiles[] = "common/broker/hydra-files";
constexpr char kHydra[] = "client/hydra";

// hydra-files, started as systemd starts it, with a socket.
class FileBroker {
 public:
  explicit FileBroker(const std::string& path) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, path.c_str());
    listening_ = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    EXPECT_EQ(bind(listening_, reinterpret_cast<sockaddr*>(&address),
                   sizeof(address)),
              0);
    EXPECT_EQ(listen(listening_, 64), 0);
    Start();
  }
  ~FileBroker() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    close(listening_);
  }

 private:
  void Start() {
    const std::string program = fs::absolute(kFiles);
    pid_ = fork();
    if (pid_ != 0) return;
    // System calls alone: other threads' locks may be held.
    if (dup2(listening_, 3) != 3) _exit(1);
    fcntl(3, F_SETFD, 0);
    // sd_listen_fds(3).
    execl("/bin/sh", "sh", "-c", "LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\"",
          program.c_str(), nullptr);
    _exit(1);
  }

  int listening_ = -1;
  pid_t pid_ = -1;
};

// A daemon with hydra-files, and another user with a model, data and a place
// for outputs that are his alone.
class UserFilesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!CanBecomeOtherUser()) GTEST_SKIP() << "only root can";
    fs::permissions(directory_, fs::perms(0755));
    broker_ = std::make_unique<FileBroker>(PathOf("files.sock"));
    // Where he may run it.
    fs::copy_file(kHydra, PathOf("hydra"));
    fs::permissions(PathOf("hydra"), fs::perms(0755));
    fs::create_directory(PathOf("his"));
    files_ = MakeSmallJobFiles(PathOf("his"));
    fs::create_directory(PathOf("his/out"));
    for (const auto& entry : fs::recursive_directory_iterator(PathOf("his"))) {
      Give(entry.path(), entry.is_directory() ? 0700 : 0600);
    }
    Give(PathOf("his"), 0700);
    fs::create_directory(PathOf("others"));
    WriteFile(PathOf("others/train.bin"), ReadFile(files_.train_tokens));
    fs::permissions(PathOf("others/train.bin"), fs::perms(0600));
    Start();
  }

  static void Give(const std::string& path, mode_t mode) {
    EXPECT_EQ(chown(path.c_str(), kOtherUser, kOtherUser), 0) << path;
    EXPECT_EQ(chmod(path.c_str(), mode), 0) << path;
  }

  std::string PathOf(const std::string& name) const {
    return absl::StrCat(directory_, "/", name);
  }

  void Start() {
    Cluster::Options options = TwoDevices();
    options.settings.push_back("file_broker=" + PathOf("files.sock"));
    options.settings.push_back("output_roots=" + directory_);
    cluster_ = std::make_unique<Cluster>(options);
    LetHimIn();
  }
  // Who may come in is not what is tested here.
  void LetHimIn() const {
    fs::permissions(cluster_->directory(), fs::perms(0755));
    fs::permissions(cluster_->address().substr(sizeof("unix:") - 1),
                    fs::perms(0666));
  }

  // `hydra ARGUMENTS`, of the other user.
  ProgramResult Hydra(const std::vector<std::string>& arguments) const {
    std::vector<std::string> command = {"/usr/bin/setpriv",
                                        absl::StrCat("--reuid=", kOtherUser),
                                        absl::StrCat("--regid=", kOtherUser),
                                        "--clear-groups",
                                        PathOf("hydra"),
                                        "--server",
                                        cluster_->address()};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return RunProgram(command);
  }

  // A job file of his, with these training tokens.
  std::string JobFile(const std::string& tokens,
                      const std::string& output_dir) const {
    const std::string path = PathOf("his/job.yaml");
    WriteFile(path, absl::StrCat(
                        "name: his\nmodel: {path: ", files_.tiny_model,
                        "}\ndata: {format: tokens_u16, train_files: [", tokens,
                        "]}\ntrain: {max_steps: 4, "
                        "per_device_train_batch_size: 4, context_length: "
                        "32, learning_rate: 1e-3}\n"
                        "checkpoint: {every_steps: 2}\n",
                        output_dir.empty()
                            ? ""
                            : absl::StrCat("output: {output_dir: ", output_dir,
                                           "}\n")));
    Give(path, 0600);
    return path;
  }

  const std::string directory_ = FreshDirectory();
  std::unique_ptr<FileBroker> broker_;
  SmallJobFiles files_;
  std::unique_ptr<Cluster> cluster_;
};

TEST_F(UserFilesTest, AJobReadsAndWritesAsItsUser) {
  const ProgramResult submitted =
      Hydra({"submit", JobFile(files_.train_tokens, PathOf("his/out"))});
  ASSERT_EQ(submitted.code, 0) << submitted.output;
  const v1::JobDetail job = cluster_->AwaitEnd("j1");
  ASSERT_EQ(job.status().state(), v1::JOB_STATE_COMPLETED)
      << job.status().reason();
  int files = 0;
  for (const auto& entry :
       fs::recursive_directory_iterator(PathOf("his/out"))) {
    struct stat facts;
    ASSERT_EQ(lstat(entry.path().c_str(), &facts), 0);
    EXPECT_EQ(facts.st_uid, kOtherUser) << entry.path();
    files += entry.is_regular_file() ? 1 : 0;
  }
  // A model, and a checkpoint at least.
  EXPECT_GE(files, 4);
  const ProgramResult fetched =
      Hydra({"download", "j1", PathOf("his/fetched")});
  EXPECT_EQ(fetched.code, 0) << fetched.output;
  EXPECT_TRUE(fs::exists(PathOf("his/fetched/model.safetensors")));
}

TEST_F(UserFilesTest, WhatItsUserMayNotReadAJobDoesNotRead) {
  const ProgramResult refused =
      Hydra({"submit", JobFile(PathOf("others/train.bin"), PathOf("his/out"))});
  EXPECT_NE(refused.code, 0);
  EXPECT_THAT(refused.output, HasSubstr("is not readable for you"));
  // Nor by a link of his.
  fs::create_symlink(PathOf("others/train.bin"), PathOf("his/link.bin"));
  EXPECT_NE(
      Hydra({"submit", JobFile(PathOf("his/link.bin"), PathOf("his/out"))})
          .code,
      0);
}

TEST_F(UserFilesTest, AFileThatIsSwappedAfterTheSubmissionIsNotRead) {
  WriteFile(PathOf("his/mine.bin"), ReadFile(files_.train_tokens));
  Give(PathOf("his/mine.bin"), 0600);
  const ProgramResult submitted =
      Hydra({"submit", JobFile(PathOf("his/mine.bin"), PathOf("his/out"))});
  ASSERT_EQ(submitted.code, 0) << submitted.output;
  fs::remove(PathOf("his/mine.bin"));
  fs::create_symlink(PathOf("others/train.bin"), PathOf("his/mine.bin"));
  const v1::JobDetail job = cluster_->AwaitEnd("j1");
  // It was quicker, or it was refused; the other's file was never its data.
  if (job.status().state() != v1::JOB_STATE_COMPLETED) {
    EXPECT_EQ(job.status().state(), v1::JOB_STATE_FAILED);
    EXPECT_THAT(job.status().reason(), HasSubstr("his/mine.bin"));
  }
}

TEST_F(UserFilesTest, WhereItsUserMayNotWriteAJobDoesNotWrite) {
  const ProgramResult refused =
      Hydra({"submit", JobFile(files_.train_tokens, PathOf("others"))});
  EXPECT_NE(refused.code, 0);
  EXPECT_THAT(refused.output, HasSubstr("is not writable for you"));
}

TEST_F(UserFilesTest, HydradsOwnFolderStaysItsOwn) {
  std::string job = JobFile(files_.train_tokens, "");
  const ProgramResult submitted = Hydra({"submit", job});
  ASSERT_EQ(submitted.code, 0) << submitted.output;
  const v1::JobDetail done = cluster_->AwaitEnd("j1");
  ASSERT_EQ(done.status().state(), v1::JOB_STATE_COMPLETED)
      << done.status().reason();
  struct stat facts;
  ASSERT_EQ(stat(done.output_path().c_str(), &facts), 0);
  EXPECT_EQ(facts.st_uid, geteuid());
}

TEST_F(UserFilesTest, WithoutHydraFilesADaemonDoesNotStart) {
  cluster_.reset();
  broker_.reset();
  const ProgramResult result =
      RunProgram({"scheduler/hydrad", "--set", "state_dir=" + PathOf("state2"),
                  "--set", "pool.size_bytes=64MiB", "--set",
                  "pool.path=" + PathOf("pool2"), "--device", "cpu:0=64MiB",
                  "--set", "file_broker=" + PathOf("files.sock")});
  EXPECT_EQ(result.code, 3);
  EXPECT_THAT(result.output, HasSubstr("hydra-files does not answer"));
}

}  // namespace
}  // namespace hydra
