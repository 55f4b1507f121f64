#include "common/broker/service.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/broker/channel.h"
#include "common/broker/message.h"
#include "common/file/scratch_directory.h"
#include "common/file/unique_fd.h"

namespace hydra::broker {
namespace {

// Debian's "nobody", and a number that nobody has.
constexpr uid_t kUser = 65534;
constexpr uid_t kNoUser = 0x7ffffff0;

bool IsRoot() { return geteuid() == 0; }

UniqueFd ListenAt(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, path.c_str());
  UniqueFd listening(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  EXPECT_EQ(bind(listening.get(), reinterpret_cast<sockaddr*>(&address),
                 sizeof(address)),
            0);
  EXPECT_EQ(listen(listening.get(), 16), 0);
  return listening;
}

// A child process, which ends with what `work` returns; that is the result.
int InChild(const std::function<int()>& work) {
  const pid_t child = fork();
  if (child == 0) _exit(work());
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

struct stat FactsOf(const std::string& path) {
  struct stat facts = {};
  EXPECT_EQ(lstat(path.c_str(), &facts), 0) << path;
  return facts;
}

// hydra-files in a process of its own, and a channel of the user to it.
class ServiceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!IsRoot()) GTEST_SKIP() << "only root can become other users";
    // The user passes through it.
    ASSERT_EQ(chmod(folder_.path().c_str(), 0755), 0);
    const UniqueFd listening = ListenAt(socket_);
    server_ = fork();
    if (server_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      (void)Serve(listening, geteuid());
      _exit(1);
    }
    channel_ = std::make_unique<Channel>(socket_, kUser);
  }
  ~ServiceTest() override {
    if (server_ <= 0) return;
    kill(server_, SIGKILL);
    waitpid(server_, nullptr, 0);
  }

  static Request RequestOf(Operation operation, const std::string& name,
                           uint32_t flags = 0, uint32_t mode = 0) {
    Request request;
    request.operation = operation;
    request.flags = flags;
    request.mode = mode;
    std::strcpy(request.name, name.c_str());
    return request;
  }

  int Call(const Request& request, absl::Span<const int> descriptors = {}) {
    made_ = UniqueFd();
    return channel_->Call(request, descriptors, &made_);
  }
  int Open(const std::string& path, uint32_t flags = O_RDONLY) {
    return Call(RequestOf(Operation::kOpen, path, flags));
  }
  // A folder that the user may write in.
  UniqueFd Shared() {
    folder_.MakeDirectory("shared");
    EXPECT_EQ(chmod(folder_.PathOf("shared").c_str(), 0777), 0);
    return UniqueFd(
        open(folder_.PathOf("shared").c_str(), O_RDONLY | O_DIRECTORY));
  }

  const ScratchDirectory folder_;
  const std::string socket_ = folder_.PathOf("socket");
  pid_t server_ = -1;
  std::unique_ptr<Channel> channel_;
  UniqueFd made_;
};

TEST_F(ServiceTest, ReadsWhatTheUserMayReadAndNothingElse) {
  const std::string open_to_all = folder_.Write("open", "words");
  const std::string secret = folder_.Write("secret", "secret");
  ASSERT_EQ(chmod(open_to_all.c_str(), 0644), 0);
  ASSERT_EQ(chmod(secret.c_str(), 0600), 0);
  ASSERT_EQ(Open(open_to_all), 0);
  char words[6] = "";
  EXPECT_EQ(read(made_.get(), words, 5), 5);
  EXPECT_STREQ(words, "words");
  EXPECT_EQ(Open(secret), EACCES);
  EXPECT_EQ(Open(folder_.PathOf("nothing")), ENOENT);
  // Nor by a link, nor when it is opened anew.
  ASSERT_EQ(symlink(secret.c_str(), folder_.PathOf("link").c_str()), 0);
  EXPECT_EQ(Open(folder_.PathOf("link")), EACCES);
  ASSERT_EQ(Open(secret, O_PATH), 0);
  const UniqueFd place = std::move(made_);
  EXPECT_EQ(Call(RequestOf(Operation::kReopen, "", O_RDONLY), {place.get()}),
            EACCES);
  ASSERT_EQ(Open(open_to_all, O_PATH), 0);
  const UniqueFd good = std::move(made_);
  EXPECT_EQ(Call(RequestOf(Operation::kReopen, "", O_RDONLY), {good.get()}), 0);
  EXPECT_EQ(read(made_.get(), words, 5), 5);
}

TEST_F(ServiceTest, WhatIsMadeBelongsToTheUser) {
  const UniqueFd shared = Shared();
  ASSERT_EQ(Call(RequestOf(Operation::kMakeDirectory, "made", 0, 0750),
                 {shared.get()}),
            0);
  const struct stat made = FactsOf(folder_.PathOf("shared/made"));
  EXPECT_EQ(made.st_uid, kUser);
  EXPECT_EQ(made.st_mode & ACCESSPERMS, 0750);
  ASSERT_EQ(Call(RequestOf(Operation::kOpen, "file",
                           O_WRONLY | O_CREAT | O_EXCL, 0640),
                 {shared.get()}),
            0);
  const UniqueFd file = std::move(made_);
  EXPECT_EQ(write(file.get(), "x", 1), 1);
  EXPECT_EQ(FactsOf(folder_.PathOf("shared/file")).st_uid, kUser);
  EXPECT_EQ(Call(RequestOf(Operation::kChangeMode, "", 0, 0600), {file.get()}),
            0);
  EXPECT_EQ(FactsOf(folder_.PathOf("shared/file")).st_mode & ACCESSPERMS, 0600);
  Request rename = RequestOf(Operation::kRename, "file");
  std::strcpy(rename.other, "moved");
  EXPECT_EQ(Call(rename, {shared.get(), shared.get()}), 0);
  EXPECT_EQ(Call(RequestOf(Operation::kUnlink, "file"), {shared.get()}),
            ENOENT);
  EXPECT_EQ(Call(RequestOf(Operation::kUnlink, "moved"), {shared.get()}), 0);
  EXPECT_EQ(
      Call(RequestOf(Operation::kUnlink, "made", AT_REMOVEDIR), {shared.get()}),
      0);
}

TEST_F(ServiceTest, ChangesNothingThatTheUserMayNot) {
  folder_.MakeDirectory("closed");
  const UniqueFd closed(
      open(folder_.PathOf("closed").c_str(), O_RDONLY | O_DIRECTORY));
  folder_.Write("closed/file", "x");
  EXPECT_EQ(Call(RequestOf(Operation::kMakeDirectory, "made", 0, 0700),
                 {closed.get()}),
            EACCES);
  EXPECT_EQ(Call(RequestOf(Operation::kUnlink, "file"), {closed.get()}),
            EACCES);
  const UniqueFd file(open(folder_.PathOf("closed/file").c_str(), O_RDONLY));
  EXPECT_EQ(Call(RequestOf(Operation::kChangeMode, "", 0, 0777), {file.get()}),
            EPERM);
  const UniqueFd shared = Shared();
  Request rename = RequestOf(Operation::kRename, "file");
  std::strcpy(rename.other, "taken");
  EXPECT_EQ(Call(rename, {closed.get(), shared.get()}), EACCES);
}

TEST_F(ServiceTest, TellsWhetherTheUserMayWriteInAFolder) {
  folder_.MakeDirectory("closed");
  const UniqueFd closed(
      open(folder_.PathOf("closed").c_str(), O_RDONLY | O_DIRECTORY));
  const UniqueFd shared = Shared();
  const Request writable = RequestOf(Operation::kAccess, "", 0, W_OK | X_OK);
  EXPECT_EQ(Call(writable, {shared.get()}), 0);
  EXPECT_EQ(Call(writable, {closed.get()}), EACCES);
}

TEST_F(ServiceTest, RequestsThatMeanNothingAreRefused) {
  const UniqueFd shared = Shared();
  const int at = shared.get();
  EXPECT_EQ(Call(RequestOf(Operation::kOpen, "relative")), EINVAL);
  EXPECT_EQ(
      Call(RequestOf(Operation::kOpen, "a", O_WRONLY | O_CREAT, 0600), {at}),
      EINVAL)
      << "it may be another's file";
  EXPECT_EQ(Call(RequestOf(Operation::kOpen, "../a",
                           O_WRONLY | O_CREAT | O_EXCL, 0600),
                 {at}),
            EINVAL);
  EXPECT_EQ(Call(RequestOf(Operation::kMakeDirectory, "..", 0, 0700), {at}),
            EINVAL);
  EXPECT_EQ(Call(RequestOf(Operation::kMakeDirectory, "a", 0, 04700), {at}),
            EINVAL)
      << "set-user-id";
  EXPECT_EQ(Call(RequestOf(Operation::kUnlink, "a")), EINVAL);
  EXPECT_EQ(Call(RequestOf(Operation::kRename, "a"), {at}), EINVAL);
  EXPECT_EQ(Call(RequestOf(static_cast<Operation>(99), "a"), {at}), EINVAL);
  Request endless = RequestOf(Operation::kOpen, "");
  std::memset(endless.name, 'a', sizeof(endless.name));
  EXPECT_EQ(Call(endless, {at}), EINVAL);
}

TEST_F(ServiceTest, AUserThatThereIsNotIsSaidSo) {
  Channel nobody(socket_, kNoUser);
  UniqueFd made;
  EXPECT_EQ(nobody.Call(RequestOf(Operation::kOpen, "/"), {}, &made), ESRCH);
  // The next call is a try of its own.
  EXPECT_EQ(nobody.Call(RequestOf(Operation::kOpen, "/"), {}, &made), ESRCH);
}

TEST_F(ServiceTest, OtherUsersThanHydradsAreNotServed) {
  EXPECT_EQ(chmod(socket_.c_str(), 0777), 0);
  EXPECT_EQ(InChild([&] {
              if (setresuid(kUser, kUser, kUser) != 0) return 1;
              Channel channel(socket_, 0);
              UniqueFd made;
              return channel.Call(RequestOf(Operation::kOpen, "/"), {},
                                  &made) == ENOTCONN
                         ? 0
                         : 2;
            }),
            0);
}

TEST_F(ServiceTest, WithoutAServerNothingIsOpened) {
  ASSERT_EQ(Open("/"), 0);
  kill(server_, SIGKILL);
  ASSERT_EQ(waitpid(server_, nullptr, 0), server_);
  server_ = -1;
  // Whom it has served already is served on.
  EXPECT_EQ(Open("/"), 0);
  Channel late(socket_, kUser);
  UniqueFd made;
  EXPECT_EQ(late.Call(RequestOf(Operation::kOpen, "/"), {}, &made), ENOTCONN);
}

// One that he stopped would never end.
TEST_F(ServiceTest, AUserSendsNoSignalToTheProcessThatServesHim) {
  ASSERT_EQ(Open("/"), 0);
  const std::string children =
      ReadFile(absl::StrCat("/proc/", server_, "/task/", server_, "/children"));
  pid_t serving = 0;
  ASSERT_TRUE(absl::SimpleAtoi(absl::StripAsciiWhitespace(children), &serving))
      << children;
  for (int signal : {SIGSTOP, SIGKILL, 0}) {
    EXPECT_EQ(InChild([&] {
                if (setresuid(kUser, kUser, kUser) != 0) return -1;
                return kill(serving, signal) == 0 ? 0 : errno;
              }),
              EPERM)
        << signal;
  }
  EXPECT_EQ(Open("/"), 0);
}

TEST(BecomeUserTest, GivesUpEveryRight) {
  if (!IsRoot()) GTEST_SKIP() << "only root can become other users";
  EXPECT_EQ(InChild([] {
              if (!BecomeUser(kUser).ok()) return 1;
              if (geteuid() != kUser || getuid() != 0) return 2;
              if (setresuid(1, 1, 1) == 0 || setgid(0) == 0) return 3;
              const std::string status = ReadFile("/proc/self/status");
              for (const char* none :
                   {"CapEff:\t0000000000000000", "CapPrm:\t0000000000000000",
                    "CapInh:\t0000000000000000", "CapAmb:\t0000000000000000",
                    "NoNewPrivs:\t1"}) {
                if (status.find(none) == std::string::npos) return 4;
              }
              return 0;
            }),
            0);
}

TEST(BecomeUserTest, NobodyBecomesRoot) {
  if (!IsRoot()) GTEST_SKIP() << "only root can become other users";
  EXPECT_EQ(InChild([] {
              // With every right to become him.
              if (prctl(PR_SET_KEEPCAPS, 1) != 0 ||
                  setresuid(kUser, kUser, kUser) != 0) {
                return 1;
              }
              return absl::IsPermissionDenied(BecomeUser(0)) ? 0 : 2;
            }),
            0);
}

// As of a file system that does not answer.
TEST(ChannelTest, AnAnswerThatDoesNotComeIsNotAwaitedForEver) {
  const ScratchDirectory folder;
  const UniqueFd silent = ListenAt(folder.PathOf("socket"));
  Channel channel(folder.PathOf("socket"), kUser, absl::Milliseconds(200));
  Request request;
  request.name[0] = '/';
  UniqueFd made;
  const absl::Time begun = absl::Now();
  EXPECT_EQ(channel.Call(request, {}, &made), ENOTCONN);
  EXPECT_GE(absl::Now() - begun, absl::Milliseconds(200));
  // Those that come behind it do not wait again.
  const absl::Time next = absl::Now();
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(channel.Call(request, {}, &made), ENOTCONN);
  }
  EXPECT_LT(absl::Now() - next, absl::Seconds(2));
}

TEST(BecomeUserTest, OfNobodyNothingChanges) {
  EXPECT_EQ(BecomeUser(kNoUser).code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace hydra::broker
