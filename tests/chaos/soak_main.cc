// Runs very many tiny jobs while workers, and now and then the daemon, are
// killed: every job must be completed, and what processes hold must not grow
// without bounds.

#include <signal.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <random>
#include <set>
#include <string>
#include <system_error>
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
// One kill in so many is the daemon's.
constexpr int kDaemonKillEvery = 10;

Cluster::Options TwoDevices() {
  Cluster::Options options;
  options.devices = {"cpu:0=64MiB", "cpu:1=64MiB"};
  return options;
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
    while (completed_ + not_completed_ < options_.jobs) {
      SubmitMore();
      absl::SleepFor(kPoll);
      if (absl::Now() >= next_kill_) Kill();
      CountEnded();
      TakeFigures();
      if (absl::Now() < next_report) continue;
      next_report += kReportEvery;
      std::cout << completed_ << " of " << submitted_ << " completed after "
                << absl::Now() - start_ << ", "
                << completed_ / absl::ToDoubleSeconds(absl::Now() - start_)
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
    table.AddMustBeZero("jobs missing or doubled at the end", miscounted_);
    table.Add("worker kills, daemon kills",
              absl::StrCat(worker_kills_, ", ", daemon_kills_));
    for (const auto& [name, value] : figures_) table.Add(name, value);
    return table;
  }

 private:
  void SubmitMore() {
    while (submitted_ < options_.jobs &&
           submitted_ - completed_ + options_.sweep <= options_.most_pending) {
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
      const auto jobs = List(sweep);
      int64_t ended = 0;
      int64_t completed = 0;
      for (const v1::JobStatus& job : jobs) {
        if (job.phase() == v1::JOB_PHASE_ENDED) ++ended;
        if (job.state() == v1::JOB_STATE_COMPLETED) ++completed;
      }
      if (ended < jobs.size()) {
        open.push_back(sweep);
        ended_of_open += completed;
      } else {
        completed_of_closed_ += completed;
        not_completed_ += ended - completed;
      }
    }
    open_sweeps_ = std::move(open);
    completed_ = completed_of_closed_ + ended_of_open;
  }

  std::vector<v1::JobStatus> List(const std::string& sweep) {
    auto stub = ConnectTo(cluster_.address());
    grpc::ClientContext context;
    v1::ListJobsRequest request;
    request.set_sweep_id(sweep);
    v1::ListJobsResponse response;
    const grpc::Status status = stub->ListJobs(&context, request, &response);
    CHECK(status.ok()) << status.error_message();
    return {response.jobs().begin(), response.jobs().end()};
  }

  void PlanKill() {
    next_kill_ = absl::Now() + absl::Seconds(std::uniform_real_distribution<>(
                                   0, 2 * options_.kill_every_s)(random_));
  }

  void Kill() {
    PlanKill();
    if (random_() % kDaemonKillEvery == 0) {
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

  // At a tenth, at the half and at the end.
  void TakeFigures() {
    constexpr int kPercents[] = {10, 50, 100};
    if (taken_ == std::size(kPercents)) return;
    const int percent = kPercents[taken_];
    if (completed_ * 100 < options_.jobs * percent) return;
    ++taken_;
    const std::string at = absl::StrCat(percent, "%: ");
    AddProcess(at + "daemon", cluster_.daemon_pid());
    for (const v1::WorkerStatus& worker : cluster_.Workers()) {
      AddProcess(at + "worker " + worker.device(),
                 static_cast<pid_t>(worker.pid()));
    }
    int64_t journal_bytes = 0;
    for (const char* name : {"/pool.db", "/pool.db-journal"}) {
      std::error_code error;
      const auto bytes =
          std::filesystem::file_size(cluster_.directory() + name, error);
      if (!error) journal_bytes += static_cast<int64_t>(bytes);
    }
    figures_.emplace_back(
        at + "MB of pool.db, state_dir",
        absl::StrFormat("%.1f, %.1f", journal_bytes / 1e6,
                        DiskBytes(cluster_.state_dir()) / 1e6));
  }

  void AddProcess(const std::string& name, pid_t pid) {
    const ProcessFigures figures = FiguresOf(pid);
    figures_.emplace_back(
        name + ": own MB, shared MB, fds, threads",
        absl::StrFormat("%.1f, %.1f, %d, %d", figures.anonymous_bytes / 1e6,
                        figures.shared_bytes / 1e6, figures.descriptors,
                        figures.threads));
  }

  // Sweep by sweep, since a list of all leaves out what ended long ago.
  void CheckAll() {
    std::set<std::string> ids;
    int64_t listed = 0;
    int64_t completed = 0;
    for (const std::string& sweep : sweeps_) {
      for (const v1::JobStatus& job : List(sweep)) {
        ++listed;
        ids.insert(job.job_id());
        if (job.state() == v1::JOB_STATE_COMPLETED && job.step() == 1) {
          ++completed;
        }
      }
    }
    const int64_t distinct = static_cast<int64_t>(ids.size());
    miscounted_ = (submitted_ - distinct) + (listed - distinct) +
                  (completed_ - completed);
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
  int64_t completed_of_closed_ = 0;
  int64_t completed_ = 0;
  int64_t not_completed_ = 0;
  int64_t miscounted_ = 0;
  int64_t worker_kills_ = 0;
  int64_t daemon_kills_ = 0;
  size_t taken_ = 0;
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
  app.add_flag("--save_model", options.save_model, "write every model");
  app.add_option("--kill_every_s", options.kill_every_s, "mean time");
  CLI11_PARSE(app, argc, argv);
  hydra::Soak soak(options);
  soak.Run();
  const hydra::FigureTable table = soak.Table();
  std::cout << table.Text();
  return table.promise_broken() ? 1 : 0;
}
