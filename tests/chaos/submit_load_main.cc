// Submissions a second that hydrad acknowledges after they are on the disk,
// beside what the disk can do.

#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "glog/logging.h"
#include "tests/chaos/figures.h"
#include "tests/chaos/process_figures.h"
#include "tests/chaos/submitter.h"
#include "tests/chaos/tiny_job.h"
#include "tests/e2e/cluster.h"

namespace hydra {
namespace {

struct Options {
  std::vector<int> clients = {1, 8, 64};
  int seconds = 10;
};

constexpr int kVocabulary = 64;
constexpr absl::Duration kDiskTime = absl::Seconds(2);
constexpr int kPageBytes = 4096;

// Pages appended and synchronised one after another, for a second.
double SynchronisedWritesASecond(const std::string& directory) {
  const std::string path = directory + "/page-writes";
  const int file = open(path.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600);
  CHECK_GE(file, 0) << path;
  const std::string page(kPageBytes, 'x');
  const absl::Time start = absl::Now();
  int64_t count = 0;
  while (absl::Now() - start < kDiskTime) {
    CHECK_EQ(write(file, page.data(), page.size()), page.size());
    CHECK_EQ(fdatasync(file), 0);
    ++count;
  }
  close(file);
  unlink(path.c_str());
  return count / absl::ToDoubleSeconds(absl::Now() - start);
}

// Processes that ran or wanted to, over the last minute.
double LoadAverage() {
  double load = 0;
  std::ifstream("/proc/loadavg") >> load;
  return load;
}

double CpuOfWorkers(Cluster& cluster) {
  double seconds = 0;
  for (const hydra::v1::WorkerStatus& worker : cluster.Workers()) {
    seconds += FiguresOf(static_cast<pid_t>(worker.pid())).cpu_seconds;
  }
  return seconds;
}

// With a fresh daemon.
void Measure(int clients, int nominal_seconds, FigureTable& table) {
  Cluster cluster({});
  Submitter::Options options;
  options.address = cluster.address();
  options.request = TinySweep(cluster.directory(), 1, kVocabulary);
  options.threads = clients;
  const double disk_before = SynchronisedWritesASecond(cluster.directory());
  const double daemon_cpu = FiguresOf(cluster.daemon_pid()).cpu_seconds;
  const double worker_cpu = CpuOfWorkers(cluster);
  const double own_cpu = FiguresOf(getpid()).cpu_seconds;
  std::vector<double> milliseconds;
  const absl::Time start = absl::Now();
  Submitter submitter(std::move(options));
  absl::SleepFor(absl::Seconds(nominal_seconds));
  const auto acknowledged = submitter.AcknowledgedFrom(0);
  const double seconds = absl::ToDoubleSeconds(absl::Now() - start);
  const int64_t failed_calls = submitter.failed_calls();
  for (const auto& one : acknowledged) {
    milliseconds.push_back(one.milliseconds);
  }
  const double daemon_used =
      FiguresOf(cluster.daemon_pid()).cpu_seconds - daemon_cpu;
  const double worker_used = CpuOfWorkers(cluster) - worker_cpu;
  const double own_used = FiguresOf(getpid()).cpu_seconds - own_cpu;
  submitter.Stop();
  const double disk_after = SynchronisedWritesASecond(cluster.directory());
  const std::string with = absl::StrCat(clients, " in flight: ");
  table.Add(with + "acknowledged a second",
            absl::StrFormat("%.0f", milliseconds.size() / seconds));
  table.AddMustBeZero(with + "failed calls", failed_calls);
  table.Add(with + "ms, half and 99% below",
            absl::StrFormat("%.2f  %.2f", Quantile(milliseconds, 0.5),
                            Quantile(milliseconds, 0.99)));
  table.Add(with + "4 KiB + fdatasync a second, before, after",
            absl::StrFormat("%.0f  %.0f", disk_before, disk_after));
  table.AddNumber(with + "load average of the machine", LoadAverage());
  table.Add(with + "CPUs used by daemon, workers, clients",
            absl::StrFormat("%.2f  %.2f  %.2f", daemon_used / seconds,
                            worker_used / seconds, own_used / seconds));
}

}  // namespace
}  // namespace hydra

int main(int argc, char** argv) {
  google::InitGoogleLogging(argv[0]);
  hydra::Options options;
  CLI::App app("Measures how fast submissions are acknowledged");
  app.add_option("--clients", options.clients, "calls in flight at once");
  app.add_option("--seconds", options.seconds, "for each number of clients");
  CLI11_PARSE(app, argc, argv);
  hydra::FigureTable table;
  for (int clients : options.clients) {
    hydra::Measure(clients, options.seconds, table);
  }
  std::cout << table.Text();
  return table.promise_broken() ? 1 : 0;
}
