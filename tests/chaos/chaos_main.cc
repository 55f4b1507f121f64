// Kills and stops daemon and workers at random moments while sweeps train, and
// compares weights, losses and evaluations with undisturbed runs, bit for bit.

#include <signal.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <map>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/file/scratch_directory.h"
#include "glog/logging.h"
#include "tests/chaos/figures.h"
#include "tests/chaos/process_figures.h"
#include "tests/e2e/cluster.h"
#include "tests/e2e/outcome.h"
#include "tests/e2e/small_job.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
namespace v1 = hydra::v1;

constexpr int kSeeds = 3;
constexpr int kReportEvery = 25;
// Of the daemon's log, where a promise was broken.
constexpr int kMostJobLogLines = 40;

struct Options {
  int rounds = 500;
  uint64_t seed = 1;
  int steps = 400;
  // Of the disturbed devices, in GB/s; none: copies are memory's.
  std::string link;
};

enum Disturbance {
  kKillDaemon,
  kKillWorker,
  kStopWorker,
  kStopDaemon,
  kKillBoth,
  kDisturbances
};
constexpr const char* kNames[kDisturbances] = {"kill daemon", "kill worker",
                                               "stop worker", "stop daemon",
                                               "kill daemon and worker"};

// The undisturbed ones have no link: it changes no bit.
Cluster::Options DisturbedDevices(const Options& options) {
  Cluster::Options cluster = TwoDevices();
  if (options.link.empty()) return cluster;
  for (std::string& device : cluster.devices) {
    absl::StrAppend(&device, ",link=", options.link);
  }
  return cluster;
}

// The jobs of one partition: for each seed one whose gradients are clipped, and
// one whose are not.
v1::SubmitRequest Sweep(const SmallJobFiles& files,
                        const std::vector<int>& cut_points,
                        const Options& options) {
  v1::SubmitRequest request;
  *request.mutable_job() = SmallJob(files, cut_points);
  request.mutable_job()->mutable_train()->set_max_steps(options.steps);
  request.mutable_job()->mutable_evaluation()->set_eval_steps(options.steps /
                                                              4);
  request.mutable_job()->mutable_checkpoint()->set_every_steps(7);
  v1::GridAxis& axis = *request.add_grid();
  axis.set_field("train.seed");
  for (int seed = 1; seed <= kSeeds; ++seed) {
    axis.add_values(absl::StrCat(seed));
  }
  v1::GridAxis& norms = *request.add_grid();
  norms.set_field("train.max_grad_norm");
  for (const char* norm : {"0", "0.5"}) norms.add_values(norm);
  return request;
}

// Which of a sweep's jobs it is: its seed, and the norm of its gradients.
using Point = std::pair<uint64_t, double>;

Point PointOf(const v1::JobDetail& job) {
  return {job.spec().train().seed(), job.spec().train().max_grad_norm()};
}

std::map<Point, Outcome> UndisturbedOutcomes(const v1::SubmitRequest& sweep) {
  Cluster cluster(TwoDevices());
  std::map<Point, Outcome> outcomes;
  for (const std::string& id : cluster.Submit(sweep)) {
    const v1::JobDetail job = cluster.AwaitEnd(id);
    CHECK_EQ(job.status().state(), v1::JOB_STATE_COMPLETED)
        << job.status().reason();
    outcomes[PointOf(job)] = OutcomeOf(job);
  }
  return outcomes;
}

class Chaos {
 public:
  explicit Chaos(const Options& options)
      : options_(options),
        files_(MakeSmallJobFiles(FreshDirectory())),
        undisturbed_(UndisturbedOutcomes(Sweep(files_, {1, 2, 3}, options))),
        random_(options.seed),
        cluster_(DisturbedDevices(options)) {}

  void Run() {
    const absl::Time start = absl::Now();
    SubmitSweeps();
    for (round_ = 1; round_ <= options_.rounds; ++round_) {
      PlayRound();
      if (SweepsEnded()) {
        CompareOutcomes();
        SubmitSweeps();
      }
      if (round_ % kReportEvery == 0) {
        std::cout << "round " << round_ << " after " << absl::Now() - start
                  << ": " << equal_ << " outcomes equal, " << different_
                  << " different, " << failed_ << " jobs failed, " << went_back_
                  << " went back" << std::endl;
      }
    }
    cluster_.Await([this] { return SweepsEnded(); });
    CompareOutcomes();
    pool_bytes_left_ = cluster_.AwaitEmptyPool();
    seconds_ = absl::ToDoubleSeconds(absl::Now() - start);
  }

  FigureTable Table() {
    FigureTable table;
    table.Add("rounds", absl::StrCat(options_.rounds, ", seed ", options_.seed,
                                     ", ", static_cast<int>(seconds_), " s"));
    for (int i = 0; i < kDisturbances; ++i) {
      table.Add(kNames[i], absl::StrCat(done_[i]));
    }
    table.Add("jobs acknowledged", absl::StrCat(acknowledged_));
    table.AddMustBeZero("acknowledged jobs lost", lost_.size());
    table.AddMustBeZero("jobs whose step went back", went_back_);
    table.Add("weights, losses, evaluations equal", absl::StrCat(equal_));
    table.AddMustBeZero("weights, losses or evaluations different", different_);
    table.AddMustBeZero("jobs failed, without three kills in a row", failed_);
    table.Add("jobs failed as POISON, after three kills",
              absl::StrCat(poisoned_));
    table.Add("tasks that ran again", absl::StrCat(retried_tasks_));
    table.AddMustBeZero("bytes of the pool used at the end", pool_bytes_left_);
    table.AddMustBeZero("pools given up",
                        cluster_.LogLinesWith("is not taken over") +
                            cluster_.LogLinesWith("is of no use"));
    table.AddMustBeZero("daemon ended by itself", ended_by_itself_);
    table.Add("daemon restarts", absl::StrCat(restart_ms_.size()));
    table.AddNumber("until it served again, median ms",
                    Quantile(restart_ms_, 0.5));
    table.AddNumber("until it served again, longest ms",
                    Quantile(restart_ms_, 1));
    table.Add("worker starts", absl::StrCat(WorkerStarts()));
    table.Add("workers killed by the daemon", absl::StrCat(KillsByTheDaemon()));
    table.AddMustBeZero("workers ended by themselves", EndsByThemselves());
    table.AddMustBeZero("worker starts beyond kills", StartsBeyondKills());
    table.AddNumber("wait for a ready worker, median ms",
                    Quantile(worker_wait_ms_, 0.5));
    table.AddNumber("wait for a ready worker, longest ms",
                    Quantile(worker_wait_ms_, 1));
    return table;
  }

 private:
  double Uniform(double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(random_);
  }
  void SleepMs(double low, double high) {
    absl::SleepFor(absl::Milliseconds(Uniform(low, high)));
  }

  void SubmitSweeps() {
    steps_.clear();
    for (const std::vector<int>& cuts :
         {std::vector<int>{2}, std::vector<int>{1, 2, 3}}) {
      v1::SubmitRequest sweep = Sweep(files_, cuts, options_);
      // The undisturbed ones have one round, and the same bits.
      if (cuts.size() > 1) {
        sweep.mutable_job()->mutable_train()->set_micro_batches_per_round(1);
      }
      for (const std::string& id : cluster_.Submit(sweep)) steps_[id] = 0;
    }
    acknowledged_ += steps_.size();
  }

  // Notes every job's step. None may be missing, or be lower than before.
  std::map<std::string, v1::JobStatus> CheckJobs() {
    std::map<std::string, v1::JobStatus> jobs;
    for (const v1::JobStatus& job : cluster_.List()) jobs[job.job_id()] = job;
    for (auto& [id, step] : steps_) {
      const auto found = jobs.find(id);
      if (found == jobs.end()) {
        if (lost_.insert(id).second) {
          std::cout << "round " << round_ << ": " << id << " is lost\n";
        }
      } else if (found->second.step() < step) {
        ++went_back_;
        std::cout << "round " << round_ << ": " << id << " was at step " << step
                  << " and is at " << found->second.step() << " after "
                  << kNames[disturbance_] << "\n";
        PrintLogOf(id);
      }
      step = found == jobs.end() ? 0 : found->second.step();
    }
    return jobs;
  }

  bool SweepsEnded() {
    const auto jobs = CheckJobs();
    return std::all_of(steps_.begin(), steps_.end(), [&](const auto& entry) {
      const auto found = jobs.find(entry.first);
      return found == jobs.end() ||
             found->second.phase() == v1::JOB_PHASE_ENDED;
    });
  }

  void CompareOutcomes() {
    for (const auto& [id, step] : steps_) {
      if (lost_.count(id) > 0) continue;
      const v1::JobDetail job = cluster_.Job(id);
      retried_tasks_ += job.totals().retried_tasks();
      if (job.status().state() != v1::JOB_STATE_COMPLETED) {
        CountFailed(job);
      } else {
        CompareOutcome(job);
      }
      fs::remove_all(job.output_path());
    }
  }

  void CompareOutcome(const v1::JobDetail& job) {
    const std::string difference =
        Difference(OutcomeOf(job), undisturbed_.at(PointOf(job)));
    ++(difference.empty() ? equal_ : different_);
    if (difference.empty()) return;
    const std::string& id = job.status().job_id();
    std::cout << "round " << round_ << ": " << id
              << " is not as undisturbed: " << difference << "\n";
    PrintLogOf(id);
  }

  void CountFailed(const v1::JobDetail& job) {
    const bool killed_thrice =
        absl::StartsWith(job.status().reason(), "POISON") &&
        job.totals().retried_tasks() >= 3;
    ++(killed_thrice ? poisoned_ : failed_);
    std::cout << "round " << round_ << ": " << job.status().job_id() << " "
              << v1::JobState_Name(job.status().state()) << ": "
              << job.status().reason() << "\n";
    PrintLogOf(job.status().job_id());
  }

  // The newest lines of the daemon's log that name the job.
  void PrintLogOf(const std::string& job) {
    std::vector<std::string> lines;
    std::istringstream log(ReadFile(cluster_.log_path()));
    for (std::string line; std::getline(log, line);) {
      if (absl::StrContains(line, job + " ")) lines.push_back(line);
    }
    const size_t first =
        lines.size() - std::min<size_t>(lines.size(), kMostJobLogLines);
    for (size_t i = first; i < lines.size(); ++i) {
      std::cout << "    " << lines[i] << "\n";
    }
  }

  int64_t WorkerStarts() {
    return cluster_.LogLinesWith(" started as process ");
  }
  int64_t KillsByTheDaemon() {
    return cluster_.LogLinesWith("killing process ") +
           cluster_.LogLinesWith("killing worker process ");
  }
  // By an exit, or by a signal that nobody sent.
  int64_t EndsByThemselves() {
    return cluster_.LogLinesWith(" ended with code ") +
           cluster_.LogLinesWith(" killed by signal ") -
           cluster_.LogLinesWith(" killed by signal 9 ");
  }
  // Those whose parent was an earlier daemon leave no line when they end.
  int64_t StartsBeyondKills() {
    const int64_t first_starts = cluster_.Workers().size();
    const int64_t kills =
        done_[kKillWorker] + done_[kKillBoth] + KillsByTheDaemon();
    return std::max<int64_t>(0, WorkerStarts() - first_starts - kills);
  }

  // A worker that lives, at random.
  pid_t AwaitWorker() {
    const absl::Time start = absl::Now();
    std::vector<v1::WorkerStatus> ready;
    cluster_.Await([&] {
      ready.clear();
      for (const v1::WorkerStatus& worker : cluster_.Workers()) {
        // The daemon may not have noticed yet that it was killed.
        const bool lives =
            FiguresOf(static_cast<pid_t>(worker.pid())).anonymous_bytes > 0;
        if (lives && worker.state() == v1::WORKER_STATE_READY) {
          ready.push_back(worker);
        }
      }
      return !ready.empty();
    });
    worker_wait_ms_.push_back(absl::ToDoubleMilliseconds(absl::Now() - start));
    return static_cast<pid_t>(ready[random_() % ready.size()].pid());
  }

  void KillDaemon() {
    if (HasEnded(cluster_.daemon_pid())) ++ended_by_itself_;
    cluster_.KillDaemon();
  }

  void StartDaemonAgain() {
    const absl::Time start = absl::Now();
    cluster_.StartDaemon();
    restart_ms_.push_back(absl::ToDoubleMilliseconds(absl::Now() - start));
  }

  void StopForAWhile(pid_t pid) {
    kill(pid, SIGSTOP);
    SleepMs(100, 6000);
    kill(pid, SIGCONT);
  }

  void PlayRound() {
    const pid_t worker = AwaitWorker();
    SleepMs(0, 300);
    CheckJobs();
    disturbance_ = static_cast<Disturbance>(random_() % kDisturbances);
    ++done_[disturbance_];
    switch (disturbance_) {
      case kKillDaemon:
        KillDaemon();
        StartDaemonAgain();
        break;
      case kKillWorker:
        kill(worker, SIGKILL);
        break;
      case kStopWorker:
        StopForAWhile(worker);
        break;
      case kStopDaemon:
        StopForAWhile(cluster_.daemon_pid());
        break;
      default:
        if (random_() % 2 == 0) {
          kill(worker, SIGKILL);
          KillDaemon();
        } else {
          KillDaemon();
          kill(worker, SIGKILL);
        }
        StartDaemonAgain();
    }
    CheckJobs();
  }

  const Options options_;
  const SmallJobFiles files_;
  std::map<Point, Outcome> undisturbed_;
  std::mt19937_64 random_;
  Cluster cluster_;

  int round_ = 0;
  Disturbance disturbance_ = kKillDaemon;
  // The jobs of the sweeps under way, and the newest step seen of each.
  std::map<std::string, int64_t> steps_;

  double seconds_ = 0;
  int64_t done_[kDisturbances] = {};
  int64_t acknowledged_ = 0;
  std::set<std::string> lost_;
  int64_t went_back_ = 0;
  int64_t equal_ = 0;
  int64_t different_ = 0;
  int64_t failed_ = 0;
  int64_t poisoned_ = 0;
  int64_t retried_tasks_ = 0;
  int64_t pool_bytes_left_ = 0;
  int64_t ended_by_itself_ = 0;
  std::vector<double> restart_ms_;
  std::vector<double> worker_wait_ms_;
};

}  // namespace
}  // namespace hydra

int main(int argc, char** argv) {
  google::InitGoogleLogging(argv[0]);
  hydra::Options options;
  CLI::App app("Disturbs daemon and workers while sweeps train");
  app.add_option("--rounds", options.rounds, "disturbances");
  app.add_option("--seed", options.seed, "of their order and times");
  app.add_option("--steps", options.steps, "of each job");
  app.add_option("--link", options.link,
                 "behind which the disturbed devices are, GB/s each way");
  CLI11_PARSE(app, argc, argv);
  hydra::Chaos chaos(options);
  chaos.Run();
  const hydra::FigureTable table = chaos.Table();
  std::cout << table.Text();
  return table.promise_broken() ? 1 : 0;
}
