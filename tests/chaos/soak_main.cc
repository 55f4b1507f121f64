// Runs very many tiny jobs while workers, and now and then the daemon, are
// killed: every job must be completed, once, and what processes hold must not
// grow without bounds.

#include <signal.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <random>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "glog/logging.h"
#include "grpcpp/grpcpp.h"
#include "tests/chaos/figures.h"
#include "tests/chaos/process_figures.h"
#include "tests/chaos/submitter.h"
#include "tests/chaos/tiny_job.h"
#include "tests/e2e/cluster.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

struct Options {
  int64_t jobs = 10'000;
  uint64_t seed = 1;
  int sweep = 1'000;
  int64_t most_pending = 3'000;
  bool save_model = false;
  double kill_every_s = 4;
};

constexpr int kVocabulary = 64;
constexpr absl::Duration kPoll = absl::Milliseconds(200);
constexpr absl::Duration kReportEvery = absl::Seconds(20);
// One kill in so many is the daemon's, until so much is done: its figures at
// the half and at the end are those of one process.
constexpr int kDaemonKillEvery = 5;
constexpr int kDaemonKillsUntilPercent = 20;
constexpr int kPercents[] = {10, 50, 100};
// The daemon keeps 10,000 ended jobs and 50,000 log lines: until there are so
// many, its memory grows by design.
constexpr int64_t kJobsUntilFlat = 100'000;
// What it may hold at the end beyond what it held at the half.
constexpr int kFileSlack = 4;
constexpr int kThreadSlack = 4;
constexpr double kMemoryFactor = 1.25;

int64_t UsedBytes(const char* file_system) {
  struct statvfs info = {};
  PCHECK(statvfs(file_system, &info) == 0) << file_system;
  return static_cast<int64_t>(info.f_blocks - info.f_bfree) *
         static_cast<int64_t>(info.f_frsize);
}

int64_t FileBytes(const std::string& path) {
  std::error_code error;
  const auto bytes = std::filesystem::file_size(path, error);
  return error ? 0 : static_cast<int64_t>(bytes);
}

class Soak {
 public:
  explicit Soak(const Options& options)
      : options_(options), random_(options.seed), cluster_(TwoDevices()) {
    request_ = TinySweep(cluster_.directory(), options.sweep, kVocabulary);
    request_.mutable_job()->mutable_output()->set_save_model(
        options.save_model);
  }

  void Run() {
    start_ = absl::Now();
    absl::Time next_report = start_ + kReportEvery;
    PlanKill();
    while (submitted_ < options_.jobs || !open_sweeps_.empty()) {
      SubmitMore();
      absl::SleepFor(kPoll);
      if (absl::Now() >= next_kill_) Kill();
      CountEnded();
      TakeFigures();
      if (absl::Now() < next_report) continue;
      next_report += kReportEvery;
      std::cout << ended_ << " of " << submitted_ << " ended after "
                << absl::Now() - start_ << ", "
                << ended_ / absl::ToDoubleSeconds(absl::Now() - start_)
                << " a second" << std::endl;
    }
    seconds_ = absl::ToDoubleSeconds(absl::Now() - start_);
    CheckAll();
  }

  FigureTable Table() {
    FigureTable table;
    table.Add("jobs", absl::StrCat(options_.jobs, ", seed ", options_.seed,
                                   ", ", static_cast<int>(seconds_), " s"));
    table.AddNumber("jobs completed a second", completed_ / seconds_);
    table.Add("jobs completed", absl::StrCat(completed_));
    table.AddMustBeZero("jobs that ended otherwise", not_completed_);
    table.AddMustBeZero("jobs missing at the end", missing_);
    table.AddMustBeZero("jobs doubled at the end", doubled_);
    table.AddMustBeZero("bytes of the pool used at the end", pool_bytes_left_);
    table.Add("worker kills, daemon kills",
              absl::StrCat(worker_kills_, ", ", daemon_kills_));
    for (const auto& [name, value] : figures_) table.Add(name, value);
    AddGrowth(table);
    return table;
  }

 private:
  void SubmitMore() {
    while (submitted_ < options_.jobs &&
           submitted_ - ended_ + options_.sweep <= options_.most_pending) {
      grpc::ClientContext context;
      v1::SubmitResponse response;
      const grpc::Status status =
          cluster_.stub().Submit(&context, request_, &response);
      CHECK(status.ok()) << status.error_message();
      submitted_ += response.jobs_size();
      open_sweeps_.push_back(response.sweep_id());
      sweeps_.push_back(response.sweep_id());
    }
  }

  // Sweeps whose jobs have all ended are done with.
  void CountEnded() {
    int64_t ended_of_open = 0;
    std::vector<std::string> open;
    for (const std::string& sweep : open_sweeps_) {
      const auto jobs = cluster_.List(sweep);
      const int64_t ended = std::count_if(
          jobs.begin(), jobs.end(),
          [](const auto& job) { return job.phase() == v1::JOB_PHASE_ENDED; });
      if (ended < jobs.size()) {
        open.push_back(sweep);
        ended_of_open += ended;
      } else {
        // Lost jobs too: they are counted at the end.
        ended_of_closed_ += options_.sweep;
      }
    }
    open_sweeps_ = std::move(open);
    ended_ = ended_of_closed_ + ended_of_open;
  }

  void PlanKill() {
    next_kill_ = absl::Now() + absl::Seconds(std::uniform_real_distribution<>(
                                   0, 2 * options_.kill_every_s)(random_));
  }

  void Kill() {
    PlanKill();
    if (random_() % kDaemonKillEvery == 0 &&
        ended_ * 100 < options_.jobs * kDaemonKillsUntilPercent) {
      ++daemon_kills_;
      cluster_.KillDaemon();
      cluster_.StartDaemon();
      return;
    }
    const auto workers = cluster_.Workers();
    const v1::WorkerStatus& worker = workers[random_() % workers.size()];
    if (worker.state() != v1::WORKER_STATE_READY) return;
    ++worker_kills_;
    kill(static_cast<pid_t>(worker.pid()), SIGKILL);
  }

  // What the processes hold at a tenth, at the half and at the end.
  struct Sample {
    ProcessFigures daemon;
    std::vector<ProcessFigures> workers;
  };

  void TakeFigures() {
    while (samples_.size() < std::size(kPercents) &&
           ended_ * 100 >= options_.jobs * kPercents[samples_.size()]) {
      TakeFigures(kPercents[samples_.size()]);
    }
  }
  void TakeFigures(int percent) {
    const std::string at = absl::StrCat(percent, "%: ");
    Sample sample;
    sample.daemon = FiguresOf(cluster_.daemon_pid());
    AddProcess(at + "daemon", sample.daemon);
    sample.workers = FiguresOfWorkers();
    for (size_t i = 0; i < sample.workers.size(); ++i) {
      AddProcess(absl::StrCat(at, "worker ", i), sample.workers[i]);
    }
    samples_.push_back(std::move(sample));
    figures_.emplace_back(
        at + "MB of pool, pool.db, /dev/shm, state_dir",
        absl::StrFormat("%.1f, %.1f, %.1f, %.1f",
                        FileBytes(cluster_.directory() + "/pool") / 1e6,
                        (FileBytes(cluster_.directory() + "/pool.db") +
                         FileBytes(cluster_.directory() + "/pool.db-journal")) /
                            1e6,
                        UsedBytes("/dev/shm") / 1e6,
                        DiskBytes(cluster_.state_dir()) / 1e6));
  }

  // Of processes that neither were killed just now nor are still starting: they
  // have something, and no other number of threads than a moment before.
  std::vector<ProcessFigures> FiguresOfWorkers() {
    std::vector<ProcessFigures> before;
    while (true) {
      std::vector<ProcessFigures> now;
      for (pid_t worker : cluster_.WorkerPids()) {
        now.push_back(FiguresOf(worker));
      }
      const bool settled =
          std::equal(now.begin(), now.end(), before.begin(), before.end(),
                     [](const ProcessFigures& a, const ProcessFigures& b) {
                       return a.anonymous_bytes > 0 && a.threads == b.threads;
                     });
      if (settled) return now;
      before = std::move(now);
      absl::SleepFor(kPoll);
    }
  }

  void AddProcess(const std::string& name, const ProcessFigures& figures) {
    figures_.emplace_back(
        name + ": own MB, shared MB, fds, threads",
        absl::StrFormat("%.1f, %.1f, %d, %d", figures.anonymous_bytes / 1e6,
                        figures.shared_bytes / 1e6, figures.descriptors,
                        figures.threads));
  }

  // From the half to the end.
  void AddGrowth(FigureTable& table) const {
    const Sample& half = samples_[1];
    const Sample& end = samples_[2];
    AddGrowth("daemon", half.daemon, end.daemon, table);
    for (size_t i = 0; i < end.workers.size(); ++i) {
      AddGrowth(absl::StrCat("worker ", i), half.workers[i], end.workers[i],
                table);
    }
  }
  void AddGrowth(const std::string& name, const ProcessFigures& half,
                 const ProcessFigures& end, FigureTable& table) const {
    table.AddMustBeZero(
        name + ": files beyond those at 50%",
        std::max(0, end.descriptors - half.descriptors - kFileSlack));
    table.AddMustBeZero(name + ": threads beyond those at 50%",
                        std::max(0, end.threads - half.threads - kThreadSlack));
    const double factor = static_cast<double>(end.anonymous_bytes) /
                          std::max<int64_t>(1, half.anonymous_bytes);
    table.Add(name + ": memory, times that at 50%",
              absl::StrFormat("%.2f", factor));
    if (options_.jobs < kJobsUntilFlat) return;
    table.AddMustBeZero(
        absl::StrCat(name, ": memory is over ", kMemoryFactor, " times"),
        factor > kMemoryFactor);
  }

  // Sweep by sweep, since a list of all leaves out what ended long ago.
  void CheckAll() {
    std::set<std::string> ids;
    int64_t listed = 0;
    for (const std::string& sweep : sweeps_) {
      for (const v1::JobStatus& job : cluster_.List(sweep)) {
        ++listed;
        ids.insert(job.job_id());
        const bool completed =
            job.state() == v1::JOB_STATE_COMPLETED && job.step() == 1;
        ++(completed ? completed_ : not_completed_);
      }
    }
    const int64_t distinct = static_cast<int64_t>(ids.size());
    missing_ = submitted_ - distinct;
    doubled_ = listed - distinct;
    pool_bytes_left_ = cluster_.AwaitEmptyPool();
  }

  const Options options_;
  std::mt19937_64 random_;
  Cluster cluster_;
  v1::SubmitRequest request_;
  absl::Time start_;
  absl::Time next_kill_;
  std::vector<std::string> sweeps_;
  // Those with jobs that have not ended.
  std::vector<std::string> open_sweeps_;
  int64_t submitted_ = 0;
  int64_t ended_of_closed_ = 0;
  int64_t ended_ = 0;
  // As counted one by one at the end.
  int64_t completed_ = 0;
  int64_t not_completed_ = 0;
  int64_t missing_ = 0;
  int64_t doubled_ = 0;
  int64_t pool_bytes_left_ = 0;
  int64_t worker_kills_ = 0;
  int64_t daemon_kills_ = 0;
  std::vector<Sample> samples_;
  double seconds_ = 0;
  std::vector<std::pair<std::string, std::string>> figures_;
};

}  // namespace
}  // namespace hydra

int main(int argc, char** argv) {
  google::InitGoogleLogging(argv[0]);
  hydra::Options options;
  CLI::App app("Runs very many tiny jobs");
  app.add_option("--jobs", options.jobs, "a multiple of the sweep's");
  app.add_option("--seed", options.seed, "of the kills");
  app.add_option("--sweep", options.sweep, "jobs of one submission");
  app.add_option("--pending", options.most_pending, "jobs waiting at most");
  app.add_flag("--save-model", options.save_model, "write every model");
  app.add_option("--kill-every-s", options.kill_every_s, "mean time");
  CLI11_PARSE(app, argc, argv);
  if (options.jobs % options.sweep != 0) {
    std::cerr << "--jobs: found " << options.jobs
              << ", expected a multiple of --sweep, " << options.sweep << "\n";
    return 2;
  }
  if (options.most_pending < options.sweep) {
    std::cerr << "--pending: found " << options.most_pending
              << ", expected at least --sweep, " << options.sweep << "\n";
    return 2;
  }
  hydra::Soak soak(options);
  soak.Run();
  const hydra::FigureTable table = soak.Table();
  std::cout << table.Text();
  return table.promise_broken() ? 1 : 0;
}
