#include "scheduler/daemon/supervisor.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>

#include "absl/synchronization/mutex.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;

// Records what the supervisor reports, and waits for it.
class Watcher {
 public:
  Supervisor::Callbacks For(std::vector<std::string> arguments) {
    Supervisor::Callbacks callbacks;
    callbacks.next = [arguments] {
      return Supervisor::Process{arguments, {"SUPERVISED=yes"}};
    };
    callbacks.started = [this](pid_t) {
      absl::MutexLock lock(&mu_);
      ++starts_;
    };
    callbacks.died = [this](const std::string& how) {
      absl::MutexLock lock(&mu_);
      deaths_.push_back(how);
    };
    return callbacks;
  }

  void AwaitStarts(int count) {
    absl::MutexLock lock(&mu_);
    auto enough = [&] { return starts_ >= count; };
    mu_.Await(absl::Condition(&enough));
  }
  std::string AwaitDeath(int index) {
    absl::MutexLock lock(&mu_);
    auto enough = [&] { return deaths_.size() > index; };
    mu_.Await(absl::Condition(&enough));
    return deaths_[index];
  }

 private:
  absl::Mutex mu_;
  int starts_ = 0;
  std::vector<std::string> deaths_;
};

TEST(SupervisorTest, StartsAProcessAgainWhenItEnds) {
  Watcher watcher;
  Supervisor supervisor(
      watcher.For({"/bin/sh", "-c", "[ \"$SUPERVISED\" = yes ] && exit 7"}));
  EXPECT_EQ(watcher.AwaitDeath(0), "ended with code 7");
  watcher.AwaitStarts(2);
}

TEST(SupervisorTest, TellsTheLastWordsOfAProcess) {
  Watcher watcher;
  Supervisor supervisor(watcher.For(
      {"/bin/sh", "-c", "echo cannot open libtorch.so >&2; exit 127"}));
  EXPECT_EQ(watcher.AwaitDeath(0),
            "ended with code 127: cannot open libtorch.so");
  // Those of the next one are its own.
  EXPECT_EQ(watcher.AwaitDeath(1),
            "ended with code 127: cannot open libtorch.so");
}

TEST(SupervisorTest, PassesOnNoOpenFiles) {
  // Without O_CLOEXEC, as libraries open theirs.
  const int file = open("/dev/null", O_RDONLY);
  ASSERT_GE(file, 0);
  const std::string number = std::to_string(file);
  Watcher watcher;
  Supervisor supervisor(
      watcher.For({"/bin/sh", "-c",
                   "[ -e /proc/$$/fd/2 ] && [ ! -e /proc/$$/fd/" + number +
                       " ] && exit 7"}));
  EXPECT_EQ(watcher.AwaitDeath(0), "ended with code 7");
  close(file);
}

TEST(SupervisorTest, KillsOnRequest) {
  Watcher watcher;
  Supervisor supervisor(watcher.For({"/bin/sleep", "1000"}));
  watcher.AwaitStarts(1);
  supervisor.Kill("a test");
  EXPECT_THAT(watcher.AwaitDeath(0), HasSubstr("signal 9"));
}

TEST(SupervisorTest, StopKillsWhatDoesNotEnd) {
  Watcher watcher;
  Supervisor supervisor(watcher.For({"/bin/sleep", "1000"}));
  watcher.AwaitStarts(1);
  supervisor.Stop(absl::ZeroDuration());
  EXPECT_THAT(watcher.AwaitDeath(0), HasSubstr("signal 9"));
}

TEST(SupervisorTest, SaysWhatCannotBeStarted) {
  Watcher watcher;
  Supervisor supervisor(watcher.For({"/no/such/program"}));
  EXPECT_THAT(watcher.AwaitDeath(0),
              HasSubstr("cannot start /no/such/program"));
}

TEST(SupervisorTest, TakesOverAProcessOfAnEarlierDaemon) {
  // Its parent is a process that ends, as after a daemon's death.
  int numbers[2];
  ASSERT_EQ(pipe(numbers), 0);
  if (fork() == 0) {
    const pid_t orphan = fork();
    if (orphan == 0) {
      while (true) pause();
    }
    if (write(numbers[1], &orphan, sizeof(orphan)) < 0) _exit(1);
    _exit(0);
  }
  pid_t orphan = 0;
  ASSERT_EQ(read(numbers[0], &orphan, sizeof(orphan)), sizeof(orphan));
  Watcher watcher;
  Supervisor supervisor(watcher.For({"/bin/sleep", "1000"}),
                        *ForeignProcess::Open(orphan, *StartTimeOf(orphan)));
  supervisor.Kill("for the test");
  EXPECT_THAT(watcher.AwaitDeath(0), HasSubstr("earlier daemon"));
  watcher.AwaitStarts(1);
}

}  // namespace
}  // namespace hydra
