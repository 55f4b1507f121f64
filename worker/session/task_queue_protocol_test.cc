// The worker's side against a model of the daemon, over a wire that loses,
// repeats and reorders messages.

#include <map>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "worker/session/task_queue.h"
#include "worker/session/testing/model_daemon.h"

namespace hydra {
namespace {

using worker::v1::DesiredState;
using worker::v1::TaskReport;
using worker::v1::WorkerReport;

// Messages under way in one direction.
template <typename Message>
class BadWire {
 public:
  explicit BadWire(std::mt19937_64& random) : random_(random) {}

  void Send(Message message) {
    if (random_() % 4 != 0) under_way_.push_back(std::move(message));
  }

  // Any one of them, which may stay under way to arrive again.
  template <typename Receiver>
  void Deliver(Receiver receive) {
    if (under_way_.empty()) return;
    const size_t index = random_() % under_way_.size();
    const Message message = under_way_[index];
    if (random_() % 4 != 0) under_way_.erase(under_way_.begin() + index);
    receive(message);
  }

 private:
  std::mt19937_64& random_;
  std::vector<Message> under_way_;
};

class Simulation {
 public:
  explicit Simulation(uint64_t seed)
      : random_(seed), to_worker_(random_), to_daemon_(random_) {}

  void Step() {
    switch (random_() % 8) {
      case 0:
        if (daemon_.listed_count() < 4) daemon_.Issue(1 + random_() % 3);
        break;
      case 1:
        if (daemon_.listed_count() > 0 && random_() % 4 == 0) {
          daemon_.Withdraw(random_() % daemon_.listed_count());
        }
        break;
      case 2:
        to_worker_.Send(daemon_.MakeDesired());
        break;
      case 3:
        to_worker_.Deliver([this](const auto& m) { queue_.ApplyDesired(m); });
        break;
      case 4:
        to_daemon_.Send(MakeReport());
        break;
      case 5:
        to_daemon_.Deliver([this](const auto& m) { daemon_.Receive(m); });
        break;
      case 6:
        Begin();
        break;
      case 7:
        Finish();
        break;
    }
    queue_.CheckInvariants();
  }

  // Nothing is lost any more and nothing new is asked for.
  void Settle() {
    for (int i = 0; i < 20; ++i) {
      queue_.ApplyDesired(daemon_.MakeDesired());
      Begin();
      Finish();
      queue_.CheckInvariants();
      daemon_.Receive(MakeReport());
    }
  }

  void ExpectAllEndedOnce() {
    using Outcome = ModelDaemon::Outcome;
    for (const auto& [id, task] : daemon_.tasks()) {
      EXPECT_NE(task.outcome, Outcome::kPending) << "task " << id;
      if (task.outcome == Outcome::kDone) {
        EXPECT_EQ(ran_.count(id), 1) << "task " << id;
      }
      if (task.outcome == Outcome::kWithdrawn) {
        EXPECT_EQ(ran_.count(id), 0) << "task " << id;
      }
    }
    EXPECT_EQ(MakeReport().reports_size(), 0);
    EXPECT_EQ(MakeReport().held_size(), 0);
    EXPECT_TRUE(daemon_.acknowledged().empty());
  }

  size_t ran_count() const { return ran_.size(); }

 private:
  WorkerReport MakeReport() {
    WorkerReport report;
    queue_.FillReport(report, absl::UnixEpoch());
    return report;
  }

  void Begin() {
    const auto begun =
        queue_.Begin(TaskQueue::Lane::kDevice, absl::UnixEpoch());
    if (!begun) return;
    const uint64_t id = begun->task.task_id();
    const auto& task = daemon_.tasks().at(id);
    EXPECT_TRUE(ran_.insert(id).second) << "task " << id << " runs twice";
    EXPECT_EQ(failed_.count({task.job_id, task.attempt}), 0)
        << "task " << id << " follows a failed one";
    computing_ = id;
  }

  void Finish() {
    if (computing_ == 0) return;
    TaskReport report;
    report.set_task_id(computing_);
    if (random_() % 5 == 0) {
      const auto& task = daemon_.tasks().at(computing_);
      failed_.insert({task.job_id, task.attempt});
      report.mutable_error();
    } else {
      report.mutable_pass();
    }
    queue_.Finish(std::move(report));
    computing_ = 0;
  }

  std::mt19937_64 random_;
  BadWire<DesiredState> to_worker_;
  BadWire<WorkerReport> to_daemon_;
  ModelDaemon daemon_;
  TaskQueue queue_;
  uint64_t computing_ = 0;
  std::set<uint64_t> ran_;
  // Job and attempt.
  std::set<std::pair<uint64_t, int>> failed_;
};

TEST(TaskQueueProtocolTest, EveryTaskEndsReportedOnceOrWithdrawn) {
  size_t ran = 0;
  for (uint64_t seed = 1; seed <= 400; ++seed) {
    SCOPED_TRACE(seed);
    Simulation simulation(seed);
    for (int i = 0; i < 2000; ++i) simulation.Step();
    simulation.Settle();
    simulation.ExpectAllEndedOnce();
    ran += simulation.ran_count();
    if (testing::Test::HasFailure()) break;
  }
  EXPECT_GT(ran, 10000) << "the wire let too little through to tell anything";
}

}  // namespace
}  // namespace hydra
