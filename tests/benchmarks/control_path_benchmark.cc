// The control path: from a worker's sending of a report to its receipt of an
// answer that names a task it did not hold; and what the turns of the core take
// that are behind it. 10,000 tasks that do nothing, of 12 jobs, lookahead 1;
// the daemon's core, services, journals and a worker's session as they are, in
// two processes on unix sockets. Without journals, with both, and with both
// while 200 clients, in a third process, watch all jobs; in turns, a few
// rounds. In the same run, a raw stream of small messages between the same
// processes.

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <functional>
#include <new>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "glog/logging.h"
#include "tests/benchmarks/control_path_clients.h"
#include "tests/benchmarks/control_path_daemon.h"
#include "tests/benchmarks/control_path_run.h"

namespace hydra {
namespace {

constexpr int kRounds = 5;

struct Kind {
  const char* name;
  bool journalled;
  int watches;
};
constexpr Kind kKinds[] = {
    {"without journals", false, 0},
    {"with journals", true, 0},
    {"with journals and 200 watches", true, 200},
};

// Ends with its parent. Call it before the process has threads.
pid_t InAChild(const std::function<void()>& work) {
  const pid_t child = fork();
  PCHECK(child >= 0);
  if (child > 0) return child;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  work();
  _exit(0);
}

void AwaitSuccess(pid_t child) {
  int status = 0;
  PCHECK(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

// The daemon's process, with the others as its children.
void RunProcesses(const Kind& kind, ControlFigures* figures) {
  const std::string base = absl::StrCat("unix:/tmp/hydra-control-", getpid());
  const ControlRun run{kind.journalled, kind.watches, base + ".sock",
                       base + "-clients.sock", base + "-echo.sock"};
  const pid_t worker = InAChild([&] { RunControlWorker(run, figures); });
  pid_t watchers = 0;
  if (kind.watches > 0) {
    watchers = InAChild([&] { RunControlWatchers(run, figures); });
  } else {
    figures->watches_are_open = true;
  }
  RunControlDaemon(run, worker, figures);
  if (watchers > 0) AwaitSuccess(watchers);
}

// In memory that children share. It stays until the process ends.
ControlFigures* SharedFigures() {
  void* const memory =
      mmap(nullptr, sizeof(ControlFigures), PROT_READ | PROT_WRITE,
           MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  PCHECK(memory != MAP_FAILED);
  return new (memory) ControlFigures();
}

std::string Text(const ControlQuantiles& quantiles) {
  return absl::StrFormat("%.0f / %.0f", quantiles.median_us, quantiles.p99_us);
}

void PrintRow(const std::string& name, const std::vector<std::string>& cells) {
  std::printf("%-30s", name.c_str());
  for (const std::string& cell : cells) std::printf(" %11s", cell.c_str());
  std::printf("\n");
  std::fflush(stdout);
}

void PrintRow(const Kind& kind, const ControlFigures& figures) {
  PrintRow(kind.name, {Text(figures.ping), Text(figures.latency),
                       Text(figures.turn), Text(figures.turn_cpu),
                       absl::StrFormat("%.0f", figures.cpu_us_of_a_task),
                       absl::StrFormat("%.0f", figures.tasks_per_second),
                       absl::StrCat(figures.watch_messages.load())});
}

// Each figure's median over the rounds.
ControlFigures* MedianOf(const std::vector<ControlFigures*>& rounds) {
  const auto median = [&](const auto& value_of) {
    std::vector<double> values;
    for (ControlFigures* round : rounds) values.push_back(value_of(*round));
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
  };
  const auto medians = [&](ControlQuantiles ControlFigures::*of) {
    return ControlQuantiles{
        median([&](ControlFigures& round) { return (round.*of).median_us; }),
        median([&](ControlFigures& round) { return (round.*of).p99_us; })};
  };
  auto* all = SharedFigures();
  all->ping = medians(&ControlFigures::ping);
  all->latency = medians(&ControlFigures::latency);
  all->turn = medians(&ControlFigures::turn);
  all->turn_cpu = medians(&ControlFigures::turn_cpu);
  all->cpu_us_of_a_task =
      median([](ControlFigures& round) { return round.cpu_us_of_a_task; });
  all->tasks_per_second =
      median([](ControlFigures& round) { return round.tasks_per_second; });
  all->watch_messages =
      median([](ControlFigures& round) { return round.watch_messages.load(); });
  return all;
}

int Main() {
  std::printf("us: median / 99%%\n");
  PrintRow("", {"raw stream", "report", "turn", "turn, CPU", "CPU of task",
                "tasks/s", "messages"});
  std::vector<ControlFigures*> of_kind[std::size(kKinds)];
  for (int round = 0; round < kRounds; ++round) {
    for (size_t i = 0; i < std::size(kKinds); ++i) {
      ControlFigures* figures = SharedFigures();
      AwaitSuccess(InAChild([&] { RunProcesses(kKinds[i], figures); }));
      PrintRow(kKinds[i], *figures);
      of_kind[i].push_back(figures);
    }
  }
  std::printf("medians of %d rounds\n", kRounds);
  for (size_t i = 0; i < std::size(kKinds); ++i) {
    PrintRow(kKinds[i], *MedianOf(of_kind[i]));
  }
  return 0;
}

}  // namespace
}  // namespace hydra

int main() { return hydra::Main(); }
