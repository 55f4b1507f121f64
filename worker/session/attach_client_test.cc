#include "worker/session/attach_client.h"

#include <unistd.h>

#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "common/clock/steady_time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/session/testing/fake_daemon.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using worker::v1::JobContext;
using worker::v1::Task;
using worker::v1::TaskReport;
using worker::v1::WorkerReport;

std::vector<uint64_t> OneTo(uint64_t last) {
  std::vector<uint64_t> ids(last);
  std::iota(ids.begin(), ids.end(), 1);
  return ids;
}

TaskReport Done() {
  TaskReport report;
  report.mutable_pass();
  return report;
}

class AttachClientTest : public testing::Test {
 protected:
  // The name of the test's own folder can be too long for a socket in it.
  static void SetUpTestSuite() {
    ASSERT_EQ(chdir(testing::TempDir().c_str()), 0);
  }

  FakeDaemon::Options DaemonOptions(int64_t task_count) {
    FakeDaemon::Options options;
    options.socket = "daemon.sock";
    options.task_count = task_count;
    return options;
  }

  AttachClient::Options ClientOptions(const FakeDaemon& daemon) {
    AttachClient::Options options;
    options.daemon = daemon.address();
    options.session = "secret";
    options.min_backoff = absl::Milliseconds(1);
    return options;
  }

  // Runs NOOP tasks until `daemon` recorded `until`, then stops the worker.
  void RunUntilRecorded(FakeDaemon& daemon, int64_t until) {
    AttachClient client(ClientOptions(daemon), &log_);
    std::thread stopper([&] {
      daemon.AwaitRecorded(until);
      daemon.Stop();
    });
    EXPECT_EQ(client.Run([this](const Task& task, const JobContext& job,
                                TaskControl&) {
      EXPECT_EQ(job.job_id(), task.job_id());
      ran_.push_back(task.task_id());
      return Done();
    }),
              absl::OkStatus());
    stopper.join();
    latency_count_ = client.control_latency().count();
  }

  LogBuffer log_{LogBuffer::Options()};
  std::vector<uint64_t> ran_;
  int64_t latency_count_ = 0;
};

TEST_F(AttachClientTest, RunsAThousandTasksInOrderOnceEach) {
  FakeDaemon daemon(DaemonOptions(1000));
  RunUntilRecorded(daemon, 1000);
  EXPECT_EQ(ran_, OneTo(1000));
  EXPECT_EQ(daemon.stream_count(), 1);
  EXPECT_GT(latency_count_, 0);
}

TEST_F(AttachClientTest, RunsEachTaskOnceThoughTheStreamKeepsBreaking) {
  FakeDaemon::Options options = DaemonOptions(1000);
  options.break_every = 50;
  FakeDaemon daemon(options);
  RunUntilRecorded(daemon, 1000);
  EXPECT_EQ(ran_, OneTo(1000));
  EXPECT_GE(daemon.stream_count(), 10);
}

TEST_F(AttachClientTest, BeginsTheNextHeldTaskWithoutTheDaemon) {
  FakeDaemon::Options options = DaemonOptions(3);
  options.listed = 3;
  FakeDaemon daemon(options);
  AttachClient client(ClientOptions(daemon), &log_);
  const absl::Status status =
      client.Run([&](const Task& task, const JobContext&, TaskControl&) {
        // The state that brought the first task brought all three.
        if (task.task_id() == 1) daemon.SetSilent(true);
        ran_.push_back(task.task_id());
        if (task.task_id() == 3) {
          daemon.Stop();
          daemon.SetSilent(false);
        }
        return Done();
      });
  EXPECT_EQ(status, absl::OkStatus());
  EXPECT_EQ(ran_, OneTo(3));
}

TEST_F(AttachClientTest, ParksWithoutADaemonAndGoesOnWithTheNextOne) {
  FakeDaemon::Options options = DaemonOptions(3);
  options.listed = 3;
  auto daemon = std::make_unique<FakeDaemon>(options);
  AttachClient::Options client_options = ClientOptions(*daemon);
  client_options.heartbeat = absl::Milliseconds(1);
  AttachClient client(client_options, &log_);

  std::thread watcher;
  absl::Status status = client.Run([&](const Task& task, const JobContext&,
                                       TaskControl&) {
    ran_.push_back(task.task_id());
    if (task.task_id() > 1) return Done();
    ModelDaemon model = daemon->Vanish();
    model.Restart();
    options.silent = true;
    daemon = std::make_unique<FakeDaemon>(options, model);
    // A stream of the new daemon: the worker knows that the old one is gone.
    daemon->AwaitReport(
        [](const WorkerReport& report) { return report.held_size() == 3; });
    watcher = std::thread([&] {
      uint64_t told_in = 0;
      const auto tells_of_the_first = [&](const WorkerReport& report) {
        told_in = report.sequence();
        return report.reports_size() == 1 && report.reports(0).task_id() == 1;
      };
      daemon->AwaitReport(tells_of_the_first);
      daemon->AwaitReport([&](const WorkerReport& report) {
        return report.sequence() > told_in + 10 && report.held_size() == 2 &&
               !report.held(0).begun() && report.reports_size() == 1;
      });
      daemon->SetSilent(false);
      daemon->AwaitRecorded(3);
      daemon->Stop();
    });
    return Done();
  });
  watcher.join();
  EXPECT_EQ(status, absl::OkStatus());
  EXPECT_EQ(ran_, OneTo(3));
}

TEST_F(AttachClientTest, RunsEachTaskOnceThoughTheDaemonKeepsBeingRestarted) {
  const FakeDaemon::Options options = DaemonOptions(1000);
  auto daemon = std::make_unique<FakeDaemon>(options);
  AttachClient client(ClientOptions(*daemon), &log_);
  std::thread killer([&] {
    for (int recorded = 100; recorded < 1000; recorded += 100) {
      daemon->AwaitRecorded(recorded);
      ModelDaemon model = daemon->Vanish();
      model.Restart();
      daemon = std::make_unique<FakeDaemon>(options, model);
    }
    daemon->AwaitRecorded(1000);
    daemon->Stop();
  });
  EXPECT_EQ(
      client.Run([this](const Task& task, const JobContext&, TaskControl&) {
        ran_.push_back(task.task_id());
        return Done();
      }),
      absl::OkStatus());
  killer.join();
  EXPECT_EQ(ran_, OneTo(1000));
}

TEST_F(AttachClientTest, GivesUpWhenNoDaemonComesInItsPatience) {
  AttachClient::Options options;
  options.daemon = "unix:nobody.sock";
  options.min_backoff = absl::Milliseconds(1);
  options.patience = absl::Milliseconds(30);
  AttachClient client(options, &log_);
  const absl::Time start = SteadyNow();
  const absl::Status status = client.Run(
      [](const Task&, const JobContext&, TaskControl&) { return Done(); });
  EXPECT_GE(SteadyNow() - start, options.patience);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("no daemon has answered at unix:nobody.sock for 30ms"));
}

TEST_F(AttachClientTest, GivesUpOnADaemonThatTakesReportsAndNeverAnswers) {
  FakeDaemon::Options daemon_options = DaemonOptions(1);
  daemon_options.silent = true;
  FakeDaemon daemon(daemon_options);
  AttachClient::Options options = ClientOptions(daemon);
  options.heartbeat = absl::Milliseconds(1);
  options.patience = absl::Milliseconds(30);
  AttachClient client(options, &log_);
  const absl::Status status = client.Run(
      [](const Task&, const JobContext&, TaskControl&) { return Done(); });
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
}

TEST_F(AttachClientTest, IsPatientFromTheEndOfAnAnsweredStreamOn) {
  FakeDaemon daemon(DaemonOptions(1));
  AttachClient::Options options = ClientOptions(daemon);
  options.heartbeat = absl::Milliseconds(10);
  options.patience = absl::Seconds(1);
  AttachClient client(options, &log_);
  const absl::Status status =
      client.Run([&](const Task&, const JobContext&, TaskControl&) {
        const absl::Time until = SteadyNow() + options.patience;
        daemon.AwaitReport(
            [until](const WorkerReport&) { return SteadyNow() > until; });
        daemon.BreakStream();
        daemon.AwaitStreams(2);
        daemon.Stop();
        return Done();
      });
  EXPECT_EQ(status, absl::OkStatus());
}

TEST_F(AttachClientTest, DropsAWithdrawnTaskAndEndsTheBegunOne) {
  FakeDaemon::Options options = DaemonOptions(3);
  options.listed = 3;
  FakeDaemon daemon(options);
  AttachClient client(ClientOptions(daemon), &log_);
  const absl::Status status =
      client.Run([&](const Task& task, const JobContext&, TaskControl&) {
        ran_.push_back(task.task_id());
        daemon.WithdrawAllButOne();
        daemon.AwaitWithdrawn(2);
        daemon.Stop();
        return Done();
      });
  EXPECT_EQ(status, absl::OkStatus());
  daemon.AwaitRecorded(1);
  EXPECT_EQ(ran_, OneTo(1));
}

TEST_F(AttachClientTest, ReportsTheBegunTaskBeforeItStops) {
  FakeDaemon::Options options = DaemonOptions(3);
  options.listed = 3;
  FakeDaemon daemon(options);
  AttachClient client(ClientOptions(daemon), &log_);
  const absl::Status status =
      client.Run([&](const Task& task, const JobContext&, TaskControl&) {
        ran_.push_back(task.task_id());
        daemon.Stop();
        daemon.AwaitReport([](const WorkerReport& report) {
          return report.held_size() == 1 && report.held(0).begun();
        });
        return Done();
      });
  EXPECT_EQ(status, absl::OkStatus());
  daemon.AwaitRecorded(1);
  EXPECT_EQ(ran_, OneTo(1));
}

TEST_F(AttachClientTest, StopsAnIdleWorker) {
  FakeDaemon daemon(DaemonOptions(0));
  RunUntilRecorded(daemon, 0);
  EXPECT_EQ(ran_, OneTo(0));
}

TEST_F(AttachClientTest, RefusesToGoOnWithAWrongSession) {
  FakeDaemon daemon(DaemonOptions(1));
  AttachClient::Options options = ClientOptions(daemon);
  options.session = "guessed";
  absl::Status told;
  options.on_lost = [&](const absl::Status& why) { told = why; };
  AttachClient client(options, &log_);
  const absl::Status status = client.Run(
      [](const Task&, const JobContext&, TaskControl&) { return Done(); });
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(status.message()), HasSubstr("unknown session"));
  EXPECT_EQ(told, status);
}

TEST_F(AttachClientTest, TellsOfALostSessionWhileATaskComputes) {
  auto daemon = std::make_unique<FakeDaemon>(DaemonOptions(1));
  AttachClient::Options options = ClientOptions(*daemon);
  absl::Notification lost;
  options.patience = absl::ZeroDuration();
  options.on_lost = [&](const absl::Status&) { lost.Notify(); };
  AttachClient client(options, &log_);
  const absl::Status status =
      client.Run([&](const Task&, const JobContext&, TaskControl&) {
        daemon->BreakStream();
        lost.WaitForNotification();
        return Done();
      });
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
}

TEST_F(AttachClientTest, DeliversLogLinesInOrder) {
  FakeDaemon daemon(DaemonOptions(3));
  AttachClient client(ClientOptions(daemon), &log_);
  const absl::Status status =
      client.Run([&](const Task& task, const JobContext&, TaskControl&) {
        log_.Add(LogSeverity::kInfo, {}, absl::StrCat("task ", task.task_id()),
                 absl::UnixEpoch());
        if (task.task_id() == 3) daemon.Stop();
        return Done();
      });
  EXPECT_EQ(status, absl::OkStatus());
  daemon.AwaitRecorded(3);
  EXPECT_THAT(daemon.log_texts(), ElementsAre("task 1", "task 2", "task 3"));
}

// While reports are on their way all the time, and have so many lines that a
// task ends while they are made. Nobody waits for the lines of a job whose last
// task was recorded.
TEST_F(AttachClientTest, ATasksLinesComeNoLaterThanItsReport) {
  constexpr int64_t kTasks = 100;
  constexpr int kLines = 2000;
  FakeDaemon daemon(DaemonOptions(kTasks));
  AttachClient::Options options = ClientOptions(daemon);
  options.heartbeat = absl::Milliseconds(1);
  LogBuffer::Options log_options;
  log_options.max_lines = kTasks * kLines * 2;
  LogBuffer log(log_options);
  AttachClient client(options, &log);
  std::thread stopper([&] {
    daemon.AwaitRecorded(kTasks);
    daemon.Stop();
  });
  EXPECT_EQ(client.Run([&](const Task& task, const JobContext&, TaskControl&) {
    for (int i = 0; i < kLines; ++i) {
      log.Add(LogSeverity::kInfo, {}, "", absl::UnixEpoch());
    }
    log.Add(LogSeverity::kInfo, {}, "the last line", absl::UnixEpoch());
    return Done();
  }),
            absl::OkStatus());
  stopper.join();
  EXPECT_EQ(daemon.lines_behind(), 0);
}

TEST_F(AttachClientTest, ReportsTheDeviceAtEachHeartbeat) {
  FakeDaemon daemon(DaemonOptions(0));
  AttachClient::Options options = ClientOptions(daemon);
  options.heartbeat = absl::Milliseconds(1);
  int64_t asked = 0;
  options.device_status = [&] {
    worker::v1::DeviceStatus status;
    status.set_peak_bytes(++asked);
    return status;
  };
  options.fill_status = [](worker::v1::DeviceStatus& status) {
    status.mutable_promote()->set_seconds(7);
  };
  AttachClient client(options, &log_);
  std::thread stopper([&] {
    daemon.AwaitReport([](const WorkerReport& report) {
      return report.device().peak_bytes() >= 5 &&
             report.device().promote().seconds() == 7 &&
             report.device().compute_cpu().nanos() > 0;
    });
    daemon.Stop();
  });
  EXPECT_EQ(client.Run([](const Task&, const JobContext&, TaskControl&) {
    return Done();
  }),
            absl::OkStatus());
  stopper.join();
}

}  // namespace
}  // namespace hydra
