// What tens of thousands of queued jobs of one user cost the others: memory of
// the daemon, and, while thousands are submitted, listed, watched and
// cancelled, how long others' calls take, how fast training goes on, and how
// many processors hydrad and the clients take.
//
// Endless small jobs fill the pool and train all the time; all jobs that come
// after them wait for room.

#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "glog/logging.h"
#include "tests/chaos/figures.h"
#include "tests/chaos/process_figures.h"
#include "tests/chaos/tiny_job.h"
#include "tests/e2e/call.h"
#include "tests/e2e/cluster.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

struct Options {
  int sweeps = 5;
  int jobs_per_sweep = 10'000;
  int watchers = 20;
  int listers = 4;
  int seconds = 10;
  int nice = 0;
};

// A job takes a tenth of the pool, and a task some milliseconds.
constexpr char kPool[] = "pool.size_bytes=64MiB";
constexpr int kVocabulary = 100'000;
constexpr int kTrainingJobs = 20;
constexpr absl::Duration kProbeEvery = absl::Milliseconds(20);

int64_t FinishedTasks(v1::HydraService::Stub& stub) {
  int64_t tasks = 0;
  const auto response = Call(stub, &v1::HydraService::Stub::ListWorkers,
                             v1::ListWorkersRequest());
  for (const v1::WorkerStatus& worker : response.workers()) {
    tasks += worker.finished_tasks();
  }
  return tasks;
}

// Another user's calls, one after the other, and how long each takes.
class Probe {
 public:
  explicit Probe(const std::string& address)
      : stub_(ConnectTo(address)), thread_([this] { Loop(); }) {}
  ~Probe() {
    stop_ = true;
    thread_.join();
  }

  // Since the last time.
  std::vector<double> TakeMilliseconds() {
    absl::MutexLock lock(&mu_);
    return std::exchange(milliseconds_, {});
  }

 private:
  void Loop() {
    v1::ListJobsRequest page;
    page.set_page_size(20);
    v1::GetJobRequest job;
    job.set_job_id("j1");
    while (!stop_) {
      Time([&] { Call(*stub_, &v1::HydraService::Stub::GetServerInfo, {}); });
      Time([&] { Call(*stub_, &v1::HydraService::Stub::ListJobs, page); });
      Time([&] { Call(*stub_, &v1::HydraService::Stub::GetJob, job); });
      absl::SleepFor(kProbeEvery);
    }
  }

  void Time(const std::function<void()>& call) {
    const absl::Time start = absl::Now();
    call();
    absl::MutexLock lock(&mu_);
    milliseconds_.push_back(absl::ToDoubleMilliseconds(absl::Now() - start));
  }

  std::unique_ptr<v1::HydraService::Stub> stub_;
  std::atomic<bool> stop_ = false;
  absl::Mutex mu_;
  std::vector<double> milliseconds_ ABSL_GUARDED_BY(mu_);
  std::thread thread_;
};

// Reads all that comes until it ends.
class Watcher {
 public:
  explicit Watcher(const std::string& address)
      : stub_(ConnectTo(address)), thread_([this] {
          v1::WatchRequest request;
          request.set_interval_ms(20);
          const auto stream = stub_->Watch(&context_, request);
          v1::WatchResponse response;
          while (stream->Read(&response)) {
          }
          stream->Finish();
        }) {}
  ~Watcher() {
    context_.TryCancel();
    thread_.join();
  }

 private:
  std::unique_ptr<v1::HydraService::Stub> stub_;
  grpc::ClientContext context_;
  std::thread thread_;
};

// Asks for the first page of jobs all the time.
class Lister {
 public:
  explicit Lister(const std::string& address)
      : stub_(ConnectTo(address)), thread_([this] {
          while (!stop_) Call(*stub_, &v1::HydraService::Stub::ListJobs, {});
        }) {}
  ~Lister() {
    stop_ = true;
    thread_.join();
  }

 private:
  std::unique_ptr<v1::HydraService::Stub> stub_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

// Computes all the time, and asks nobody for anything: what any other program
// of another user takes from training.
class Burner {
 public:
  Burner()
      : thread_([this] {
          while (!stop_) {
          }
        }) {}
  ~Burner() {
    stop_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

class Benchmark {
 public:
  explicit Benchmark(const Options& options)
      : options_(options), cluster_(ClusterOptions()) {}

  void Run() {
    std::printf("%-34s %8s %9s %24s %9s %16s\n", "", "seconds", "tasks/s",
                "others' calls, ms", "RSS, MB", "cores");
    std::printf("%-34s %8s %9s %8s%8s%8s %9s %8s%8s\n", "", "", "", "half",
                "99%", "worst", "", "hydrad", "clients");
    v1::SubmitRequest training =
        TinySweep(cluster_.directory(), kTrainingJobs, kVocabulary);
    training.mutable_job()->mutable_train()->set_max_steps(1'000'000'000);
    cluster_.Submit(training);
    probe_.emplace(cluster_.address());
    // This thread, and those that it starts from now on.
    PCHECK(setpriority(PRIO_PROCESS, 0, options_.nice) == 0);
    Settle();
    Phase("training alone", [&] { Wait(); });
    v1::SubmitRequest many = training;
    many.mutable_grid(0)->clear_values();
    for (int seed = 1; seed <= options_.jobs_per_sweep; ++seed) {
      many.mutable_grid(0)->add_values(absl::StrCat(seed));
    }
    std::vector<std::string> sweeps;
    for (int i = 1; i <= options_.sweeps; ++i) {
      Phase(
          absl::StrCat("submit ", options_.jobs_per_sweep, " jobs, no. ", i),
          [&] {
            sweeps.push_back(
                Call(*stub_, &v1::HydraService::Stub::Submit, many).sweep_id());
          });
    }
    const int64_t queued = int64_t{options_.sweeps} * options_.jobs_per_sweep;
    Phase(absl::StrCat(queued, " jobs wait"), [&] { Wait(); });
    for (int i = 0; i < 2; ++i) {
      Phase("list all",
            [&] { CHECK_EQ(cluster_.List().size(), queued + kTrainingJobs); });
    }
    Phase(absl::StrCat(options_.watchers, " watchers, every 20 ms"), [&] {
      std::vector<std::unique_ptr<Watcher>> watchers;
      while (watchers.size() < static_cast<size_t>(options_.watchers)) {
        watchers.push_back(std::make_unique<Watcher>(cluster_.address()));
      }
      Wait();
    });
    Phase(absl::StrCat(options_.listers, " clients list without end"), [&] {
      std::vector<std::unique_ptr<Lister>> listers;
      while (listers.size() < static_cast<size_t>(options_.listers)) {
        listers.push_back(std::make_unique<Lister>(cluster_.address()));
      }
      Wait();
    });
    for (int threads : {1, options_.listers}) {
      Phase(absl::StrCat("for comparison: ", threads, " busy threads"), [&] {
        std::vector<std::unique_ptr<Burner>> burners;
        while (burners.size() < static_cast<size_t>(threads)) {
          burners.push_back(std::make_unique<Burner>());
        }
        Wait();
      });
    }
    Phase(absl::StrCat(queued, " jobs wait"), [&] { Wait(); });
    for (const std::string& sweep : sweeps) {
      Phase(absl::StrCat("cancel ", options_.jobs_per_sweep, " jobs"), [&] {
        v1::CancelRequest request;
        request.set_sweep_id(sweep);
        CHECK_EQ(Call(*stub_, &v1::HydraService::Stub::Cancel, request)
                     .cancelled_job_ids_size(),
                 options_.jobs_per_sweep);
      });
    }
    Phase("training alone", [&] { Wait(); });
  }

 private:
  static Cluster::Options ClusterOptions() {
    Cluster::Options options;
    options.devices = {"cpu:0=64MiB", "cpu:1=64MiB"};
    options.settings = {kPool};
    return options;
  }

  void Wait() { absl::SleepFor(absl::Seconds(options_.seconds)); }

  // The training jobs that find room have begun.
  void Settle() {
    cluster_.Await([&] { return FinishedTasks(*stub_) > 200; });
    Wait();
    (void)probe_->TakeMilliseconds();
  }

  void Phase(const std::string& name, const std::function<void()>& work) {
    const int64_t tasks = FinishedTasks(*stub_);
    (void)probe_->TakeMilliseconds();
    const double daemon_cpu = FiguresOf(cluster_.daemon_pid()).cpu_seconds;
    const double client_cpu = FiguresOf(getpid()).cpu_seconds;
    const absl::Time start = absl::Now();
    work();
    const double seconds = absl::ToDoubleSeconds(absl::Now() - start);
    const ProcessFigures daemon = FiguresOf(cluster_.daemon_pid());
    const double client_cpu_then = FiguresOf(getpid()).cpu_seconds;
    const double rate = (FinishedTasks(*stub_) - tasks) / seconds;
    const std::vector<double> calls = probe_->TakeMilliseconds();
    std::printf("%-34s %8.2f %9.1f %8.1f%8.1f%8.1f %9.0f %8.2f%8.2f\n",
                name.c_str(), seconds, rate, Quantile(calls, 0.5),
                Quantile(calls, 0.99), Quantile(calls, 1),
                daemon.anonymous_bytes / 1e6,
                (daemon.cpu_seconds - daemon_cpu) / seconds,
                (client_cpu_then - client_cpu) / seconds);
    std::fflush(stdout);
  }

  const Options options_;
  Cluster cluster_;
  std::unique_ptr<v1::HydraService::Stub> stub_ = ConnectTo(cluster_.address());
  std::optional<Probe> probe_;
};

}  // namespace
}  // namespace hydra

int main(int argc, char** argv) {
  google::InitGoogleLogging(argv[0]);
  hydra::Options options;
  CLI::App app("Measures what very many queued jobs cost the others");
  app.add_option("--sweeps", options.sweeps, "of queued jobs");
  app.add_option("--jobs", options.jobs_per_sweep, "in each of them");
  app.add_option("--watchers", options.watchers);
  app.add_option("--listers", options.listers);
  app.add_option("--seconds", options.seconds, "for what has no end itself");
  app.add_option("--nice", options.nice,
                 "niceness of all clients but the others' calls; 19: what "
                 "training loses then, it loses to hydrad");
  CLI11_PARSE(app, argc, argv);
  hydra::Benchmark(options).Run();
  return 0;
}
