// Kills the daemon again and again while clients submit: no acknowledged
// submission may be lost or be there twice.

#include <algorithm>
#include <cstdint>
#include <iostream>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
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
  int rounds = 200;
  uint64_t seed = 1;
  int clients = 4;
  int64_t jobs = 0;
};

constexpr int kJobsOfSweep = 2;
constexpr int kReportEvery = 20;
// Requests that are repeated after each restart, and of which a job is looked
// at.
constexpr int kRepeated = 20;
constexpr absl::Duration kPoll = absl::Milliseconds(100);
constexpr int kTimedRestarts = 5;
// Broken promises that are printed one by one.
constexpr int kMostPrinted = 20;

// So that the pool has room for a few jobs; the others wait.
constexpr int kVocabulary = 50'000;

Cluster::Options SmallPool() {
  Cluster::Options options;
  options.settings = {"pool.size_bytes=64MiB"};
  return options;
}

// A sweep's jobs are named after the request: "c3-17-01", "c3-17-02".
std::string RequestOf(const std::string& job_name) {
  return job_name.substr(0, job_name.rfind('-'));
}

class DaemonKill {
 public:
  explicit DaemonKill(const Options& options)
      : options_(options), random_(options.seed), cluster_(SmallPool()) {
    request_ = TinySweep(cluster_.directory(), kJobsOfSweep, kVocabulary);
    // They never end.
    request_.mutable_job()->mutable_train()->set_max_steps(1'000'000'000);
  }

  void Run() {
    const absl::Time start = absl::Now();
    Submitter submitter({cluster_.address(), request_, options_.clients});
    for (int round = 1; round <= options_.rounds; ++round) {
      absl::SleepFor(absl::Milliseconds(
          std::uniform_int_distribution<int>(200, 1000)(random_)));
      Restart();
      NoteAcknowledged(submitter);
      CheckRepeated();
      // Of all jobs: seldom, since there are ever more of them.
      if (round % kReportEvery != 0) continue;
      CheckAll();
      std::cout << "round " << round << " after " << absl::Now() - start << ": "
                << acknowledged_.size() << " acknowledged, " << lost_.size()
                << " lost, " << doubled_.size() << " doubled, restart "
                << restart_ms_.back() << " ms" << std::endl;
    }
    NoteAcknowledged(submitter);
    sweeps_a_second_ =
        acknowledged_.size() / absl::ToDoubleSeconds(absl::Now() - start);
    while (JobsAcknowledged() < options_.jobs) {
      absl::SleepFor(kPoll);
      NoteAcknowledged(submitter);
    }
    submitter.Stop();
    NoteAcknowledged(submitter);
    failed_calls_ = submitter.failed_calls();
    for (int i = 0; i < kTimedRestarts; ++i) {
      Restart();
      last_restart_ms_.push_back(restart_ms_.back());
    }
    CheckAll();
  }

  FigureTable Table() {
    FigureTable table;
    table.Add("daemon kills",
              absl::StrCat(restart_ms_.size(), ", seed ", options_.seed));
    table.Add("sweeps acknowledged", absl::StrCat(acknowledged_.size()));
    table.Add("calls that failed and were repeated",
              absl::StrCat(failed_calls_));
    table.AddNumber("sweeps acknowledged a second, between kills",
                    sweeps_a_second_);
    table.AddMustBeZero("acknowledged sweeps lost or changed", lost_.size());
    table.AddMustBeZero("sweeps that are there twice", doubled_.size());
    table.AddMustBeZero("repeated requests answered differently",
                        answered_differently_);
    table.AddMustBeZero("daemon ended by itself", ended_by_itself_);
    table.Add("requests repeated", absl::StrCat(repeated_));
    table.AddNumber("until it served again, median ms",
                    Quantile(restart_ms_, 0.5));
    table.AddNumber("until it served again, longest ms",
                    Quantile(restart_ms_, 1));
    const std::string with = absl::StrCat("with ", jobs_listed_, " jobs, ");
    table.AddNumber(with + "median ms", Quantile(last_restart_ms_, 0.5));
    table.AddNumber(with + "longest ms", Quantile(last_restart_ms_, 1));
    return table;
  }

 private:
  void Restart() {
    if (HasEnded(cluster_.daemon_pid())) ++ended_by_itself_;
    cluster_.KillDaemon();
    const absl::Time start = absl::Now();
    cluster_.StartDaemon();
    restart_ms_.push_back(absl::ToDoubleMilliseconds(absl::Now() - start));
  }

  void Print(const std::string& line) {
    if (++printed_ <= kMostPrinted) std::cout << line << "\n";
  }

  void NoteAcknowledged(const Submitter& submitter) {
    for (auto& one : submitter.AcknowledgedFrom(acknowledged_.size())) {
      acknowledged_.push_back(std::move(one));
    }
  }

  int64_t JobsAcknowledged() const {
    return static_cast<int64_t>(acknowledged_.size()) * kJobsOfSweep;
  }

  // Some requests again: the same answer, and the jobs that were asked for.
  void CheckRepeated() {
    auto stub = ConnectTo(cluster_.address());
    for (int i = 0; i < kRepeated && !acknowledged_.empty(); ++i) {
      const auto& one = acknowledged_[random_() % acknowledged_.size()];
      v1::SubmitRequest request = request_;
      request.set_request_id(one.request_id);
      request.mutable_job()->set_name(one.request_id);
      grpc::ClientContext context;
      v1::SubmitResponse response;
      const grpc::Status status = stub->Submit(&context, request, &response);
      CHECK(status.ok()) << status.error_message();
      ++repeated_;
      CheckSpec(one, random_() % kJobsOfSweep);
      bool same = response.sweep_id() == one.sweep_id &&
                  response.jobs_size() == one.job_ids.size();
      for (int j = 0; same && j < response.jobs_size(); ++j) {
        same = response.jobs(j).job_id() == one.job_ids[j];
      }
      if (same) continue;
      ++answered_differently_;
      Print(absl::StrCat(one.request_id, " was ", one.sweep_id, " and is now ",
                         response.ShortDebugString()));
    }
  }

  // A job trains what was submitted: the first job that was ever looked at says
  // how defaults are filled in.
  void CheckSpec(const Submitter::Acknowledged& sweep, int index) {
    v1::JobSpec spec = cluster_.Job(sweep.job_ids[index]).spec();
    const std::string name = RequestOf(spec.name());
    const uint64_t seed = spec.train().seed();
    spec.clear_name();
    spec.mutable_train()->clear_seed();
    if (first_spec_.empty()) first_spec_ = spec.SerializeAsString();
    if (name == sweep.request_id && seed == index + 1 &&
        spec.SerializeAsString() == first_spec_) {
      return;
    }
    Note(lost_, sweep.request_id,
         absl::StrCat("is now ", spec.ShortDebugString()));
  }

  void Note(std::set<std::string>& broken, const std::string& request,
            const std::string& how) {
    if (broken.insert(request).second) Print(absl::StrCat(request, " ", how));
  }

  // Every acknowledged sweep is there, and no request made two.
  void CheckAll() {
    const std::vector<v1::JobStatus> jobs = cluster_.List();
    jobs_listed_ = static_cast<int64_t>(jobs.size());
    struct Listed {
      std::string sweep_id;
      std::vector<std::string> job_ids;
    };
    std::map<std::string, std::vector<Listed>> by_request;
    for (const v1::JobStatus& job : jobs) {
      std::vector<Listed>& sweeps = by_request[RequestOf(job.name())];
      if (sweeps.empty() || sweeps.back().sweep_id != job.sweep_id()) {
        sweeps.push_back({job.sweep_id(), {}});
      }
      sweeps.back().job_ids.push_back(job.job_id());
    }
    for (const auto& [request, sweeps] : by_request) {
      if (sweeps.size() == 1 && sweeps[0].job_ids.size() == kJobsOfSweep) {
        continue;
      }
      Note(doubled_, request,
           absl::StrCat("is there ", sweeps.size(), " times"));
    }
    for (const auto& one : acknowledged_) {
      const auto found = by_request.find(one.request_id);
      if (found != by_request.end() &&
          found->second[0].sweep_id == one.sweep_id &&
          found->second[0].job_ids == one.job_ids) {
        continue;
      }
      Note(lost_, one.request_id, absl::StrCat("was ", one.sweep_id));
    }
  }

  const Options options_;
  std::mt19937_64 random_;
  Cluster cluster_;
  v1::SubmitRequest request_;
  std::vector<Submitter::Acknowledged> acknowledged_;
  int64_t failed_calls_ = 0;
  int64_t ended_by_itself_ = 0;
  int64_t repeated_ = 0;
  int64_t answered_differently_ = 0;
  int printed_ = 0;
  // By the last look at all jobs.
  int64_t jobs_listed_ = 0;
  // Requests; once broken, a promise stays broken.
  std::set<std::string> lost_;
  std::set<std::string> doubled_;
  std::string first_spec_;
  double sweeps_a_second_ = 0;
  std::vector<double> restart_ms_;
  std::vector<double> last_restart_ms_;
};

}  // namespace
}  // namespace hydra

int main(int argc, char** argv) {
  google::InitGoogleLogging(argv[0]);
  hydra::Options options;
  CLI::App app("Kills the daemon while clients submit");
  app.add_option("--rounds", options.rounds, "kills");
  app.add_option("--seed", options.seed, "of their times");
  app.add_option("--jobs", options.jobs,
                 "that there are at least for the last restarts");
  app.add_option("--clients", options.clients, "that submit at once");
  CLI11_PARSE(app, argc, argv);
  hydra::DaemonKill daemon_kill(options);
  daemon_kill.Run();
  const hydra::FigureTable table = daemon_kill.Table();
  std::cout << table.Text();
  return table.promise_broken() ? 1 : 0;
}
