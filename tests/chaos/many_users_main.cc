// What a server costs that tells users apart, with real users of the kernel:
// calls by the unix socket beside TCP, where nobody is told from anybody; what
// many users with many jobs and watches take; and what one who does his worst
// takes from another's calls and from training. Needs to be root.
//
// A user is a process of this program, of an account that needs no entry in the
// machine's list.

#include <netinet/in.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/file/scratch_directory.h"
#include "glog/logging.h"
#include "tests/chaos/figures.h"
#include "tests/chaos/process_figures.h"
#include "tests/chaos/tiny_job.h"
#include "tests/chaos/user_roles.h"
#include "tests/e2e/call.h"
#include "tests/e2e/cluster.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
namespace v1 = hydra::v1;

struct Options {
  std::string what = "all";
  int users = 50;
  int jobs = 10'000;
  int watches = 200;
  int seconds = 8;
  int rounds = 3;
  int nice = 19;
};

constexpr int kFirstAccount = 13'000;
// All of them are in it, and may use the server.
constexpr int kGroup = 12'100;
constexpr int kVocabulary = 100'000;
constexpr int kTrainingJobs = 20;
constexpr char kPool[] = "pool.size_bytes=64MiB";
// Enough for whoever opens connections.
constexpr rlim_t kOpenFiles = 20'000;

// This program, where any account can run it.
const std::string& CopyOfThisProgram() {
  static const std::string* const path = [] {
    const std::string folder = FreshDirectory();
    fs::permissions(folder, fs::perms(0755));
    fs::copy_file("/proc/self/exe", folder + "/user");
    fs::permissions(folder + "/user", fs::perms(0755));
    return new std::string(folder + "/user");
  }();
  return *path;
}

// A process of an account, from its start until Finish() or its own end.
class User {
 public:
  User(int account, const UserRole& role, int nice)
      : output_(FreshDirectory() + "/output") {
    pid_ = StartProgram(
        {"nice", absl::StrCat("--adjustment=", nice), "setpriv",
         absl::StrCat("--reuid=", account), absl::StrCat("--regid=", account),
         absl::StrCat("--groups=", kGroup), CopyOfThisProgram(), "--role",
         role.name, "--server", role.server, "--seconds",
         absl::StrCat(absl::ToDoubleSeconds(role.time)), "--threads",
         absl::StrCat(role.threads), "--jobs", absl::StrCat(role.jobs)},
        output_);
  }
  ~User() {
    if (pid_ == 0) return;
    kill(pid_, SIGKILL);
    (void)AwaitProgram(pid_);
  }
  User(const User&) = delete;
  User& operator=(const User&) = delete;

  bool IsReady() const {
    CHECK(!HasEnded(pid_) || absl::StartsWith(ReadFile(output_), "ready"))
        << ReadFile(output_);
    return absl::StartsWith(ReadFile(output_), "ready");
  }
  // The numbers that it printed at its end.
  std::vector<double> Finish() {
    const int code = AwaitProgram(std::exchange(pid_, 0));
    const std::string output = ReadFile(output_);
    CHECK_EQ(code, 0) << output;
    std::vector<double> numbers;
    const absl::string_view last = absl::StripPrefix(output, "ready\n");
    for (absl::string_view word :
         absl::StrSplit(last, absl::ByAnyChar(" \n"), absl::SkipEmpty())) {
      double number = 0;
      CHECK(absl::SimpleAtod(word, &number)) << output;
      numbers.push_back(number);
    }
    return numbers;
  }

 private:
  const std::string output_;
  pid_t pid_ = 0;
};

double Median(std::vector<double> values) { return Quantile(values, 0.5); }

UserRole RoleOf(const std::string& name, const std::string& server,
                double seconds, int threads) {
  UserRole role;
  role.name = name;
  role.server = server;
  role.time = absl::Seconds(seconds);
  role.threads = threads;
  return role;
}

// Whoever comes may pass the folder of the socket.
void Open(const Cluster& cluster) {
  fs::permissions(cluster.directory(), fs::perms(0755));
}

// A port that was free.
int FreePort() {
  const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  PCHECK(probe >= 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  PCHECK(bind(probe, reinterpret_cast<const sockaddr*>(&address), size) == 0);
  PCHECK(getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  close(probe);
  return ntohs(address.sin_port);
}

int64_t FinishedTasks(v1::HydraService::Stub& stub) {
  int64_t tasks = 0;
  const auto response = Call(stub, &v1::HydraService::Stub::ListWorkers,
                             v1::ListWorkersRequest());
  for (const v1::WorkerStatus& worker : response.workers()) {
    tasks += worker.finished_tasks();
  }
  return tasks;
}

// Jobs that never end, as many as the pool has room for, of this process's
// user; returns when the devices are at it.
void Train(Cluster& cluster) {
  v1::SubmitRequest training =
      TinySweep(cluster.directory(), kTrainingJobs, kVocabulary);
  training.mutable_job()->mutable_train()->set_max_steps(1'000'000'000);
  cluster.Submit(training);
  cluster.Await([&] { return FinishedTasks(cluster.stub()) > 200; });
}

// --- Calls by the unix socket and by TCP ---

void CompareWays(const Options& options) {
  const std::string tcp = absl::StrCat("127.0.0.1:", FreePort());
  Cluster::Options cluster_options;
  cluster_options.settings = {kPool, "tcp_address=" + tcp, "insecure_tcp=true"};
  Cluster cluster(cluster_options);
  Open(cluster);
  // Without `allow`, which TCP excludes, the socket is for hydrad's group.
  fs::permissions(cluster.directory() + "/hydrad.sock", fs::perms(0666));
  for (const std::string& job :
       cluster.Submit(TinySweep(cluster.directory(), 20, kVocabulary))) {
    cluster.AwaitEnd(job);
  }
  std::printf(
      "| calls | clients at once | way | calls/s | half, ms | 99%%, ms |\n"
      "| --- | --- | --- | --- | --- | --- |\n");
  for (const char* call : {"info", "list"}) {
    for (int clients : {1, 8}) {
      std::vector<double> of_way[2][3];
      for (int round = 0; round < options.rounds; ++round) {
        for (int way : {0, 1}) {
          const UserRole role = RoleOf(call, way == 0 ? cluster.address() : tcp,
                                       options.seconds / 2.0, clients);
          const auto numbers = User(kFirstAccount, role, 0).Finish();
          for (int i : {0, 1, 2}) of_way[way][i].push_back(numbers[i]);
        }
      }
      for (int way : {0, 1}) {
        std::printf("| %s | %d | %s | %.0f | %.3f | %.3f |\n", call, clients,
                    way == 0 ? "unix socket, the kernel says who"
                             : "TCP, nobody is known",
                    Median(of_way[way][0]), Median(of_way[way][1]),
                    Median(of_way[way][2]));
        std::fflush(stdout);
      }
    }
  }
}

// --- Many users ---

// What a cluster's worker measured of the way from a report to its answer.
class TimedWorker {
 public:
  TimedWorker() {
    fs::permissions(folder_, fs::perms(0755));
    WriteFile(
        folder_ + "/worker",
        absl::StrCat("#!/bin/sh\nexec ",
                     fs::absolute("worker/hydra-worker").string(),
                     " --control-latency-file ", folder_, "/latency \"$@\"\n"));
    fs::permissions(folder_ + "/worker", fs::perms(0755));
  }
  std::string setting() const { return "worker_binary=" + folder_ + "/worker"; }
  // JSON; once the worker has ended.
  std::string Latency() const { return ReadFile(folder_ + "/latency"); }

 private:
  const std::string folder_ = FreshDirectory();
};

void MeasureMany(const Options& options, bool are_there) {
  const TimedWorker worker;
  double rate = 0;
  std::vector<double> probe;
  ProcessFigures before;
  ProcessFigures figures;
  size_t jobs = 0;
  double messages = 0;
  {
    Cluster::Options cluster_options;
    cluster_options.settings = {kPool, absl::StrCat("allow=group ", kGroup),
                                worker.setting()};
    Cluster cluster(cluster_options);
    Open(cluster);
    Train(cluster);
    before = FiguresOf(cluster.daemon_pid());
    std::vector<std::unique_ptr<User>> watching;
    if (are_there) {
      for (int i = 0; i < options.users; ++i) {
        UserRole role = RoleOf("queue", cluster.address(), 0, 1);
        role.jobs = options.jobs / options.users;
        const auto numbers = User(kFirstAccount + i, role, 0).Finish();
        jobs += static_cast<size_t>(numbers[0]);
      }
      for (int i = 0; i < options.users; ++i) {
        watching.push_back(std::make_unique<User>(
            kFirstAccount + i,
            RoleOf("watch", cluster.address(), options.seconds + 60.0,
                   options.watches / options.users),
            options.nice));
      }
      cluster.Await([&] {
        return std::all_of(watching.begin(), watching.end(),
                           [](const auto& user) { return user->IsReady(); });
      });
    }
    const int64_t tasks = FinishedTasks(cluster.stub());
    const double cpu = FiguresOf(cluster.daemon_pid()).cpu_seconds;
    const absl::Time begin = absl::Now();
    User prober(kFirstAccount + options.users,
                RoleOf("probe", cluster.address(), options.seconds, 1), 0);
    probe = prober.Finish();
    const double seconds = absl::ToDoubleSeconds(absl::Now() - begin);
    rate = (FinishedTasks(cluster.stub()) - tasks) / seconds;
    figures = FiguresOf(cluster.daemon_pid());
    figures.cpu_seconds = (figures.cpu_seconds - cpu) / seconds;
    for (const auto& user : watching) messages += user->IsReady() ? 1 : 0;
  }
  std::printf(
      "| %s | %zu | %.0f | %.0f MB (%.0f before) | %d (%d) | %d | %.2f | %.2f "
      "/ %.2f / %.1f | %.0f | %s |\n",
      are_there ? "many users" : "nobody else", jobs, messages,
      figures.anonymous_bytes / 1e6, before.anonymous_bytes / 1e6,
      figures.threads, before.threads, figures.descriptors, figures.cpu_seconds,
      probe[1], probe[2], probe[3], rate,
      std::string(absl::StripSuffix(worker.Latency(), "\n")).c_str());
  std::fflush(stdout);
}

void CompareMany(const Options& options) {
  std::printf(
      "| | jobs that wait | users who watch | memory | threads | files | "
      "processors | a user's calls, ms: half / 99%% / longest | training, "
      "tasks/s | a worker's report to its answer |\n"
      "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");
  for (bool are_there : {false, true}) MeasureMany(options, are_there);
}

// --- One who does his worst ---

struct Abuse {
  const char* text;
  // Of UserRole; null: nobody does anything.
  const char* role;
  int threads;
};
constexpr Abuse kAbuses[] = {
    {"nothing", nullptr, 0},
    {"calls without end, 32 threads", "flood", 32},
    {"10,000 connections, again and again", "connect", 1},
    {"64 watches that are never read", "mute", 64},
    {"sweeps of 10,000 until refused, all cancelled, again", "submit", 1},
};

struct Suffered {
  double half = 0;
  double most = 0;
  double worst = 0;
  double rate = 0;
  double processors = 0;
  double megabytes = 0;
  double done = 0;
  double refused = 0;
};

Suffered Suffer(const Options& options, Cluster& cluster, const Abuse& abuse) {
  // It begins before and ends behind.
  std::unique_ptr<User> abuser;
  if (abuse.role != nullptr) {
    UserRole role = RoleOf(abuse.role, cluster.address(), options.seconds + 3.0,
                           abuse.threads);
    role.jobs = 10'000;
    abuser = std::make_unique<User>(kFirstAccount, role, options.nice);
    cluster.Await([&] { return abuser->IsReady(); });
    absl::SleepFor(absl::Seconds(1));
  }
  const int64_t tasks = FinishedTasks(cluster.stub());
  const double cpu = FiguresOf(cluster.daemon_pid()).cpu_seconds;
  const absl::Time begin = absl::Now();
  User prober(kFirstAccount + 1,
              RoleOf("probe", cluster.address(), options.seconds, 1), 0);
  const auto probe = prober.Finish();
  const double seconds = absl::ToDoubleSeconds(absl::Now() - begin);
  const ProcessFigures daemon = FiguresOf(cluster.daemon_pid());
  Suffered suffered;
  suffered.half = probe[1];
  suffered.most = probe[2];
  suffered.worst = probe[3];
  suffered.rate = (FinishedTasks(cluster.stub()) - tasks) / seconds;
  suffered.processors = (daemon.cpu_seconds - cpu) / seconds;
  suffered.megabytes = daemon.anonymous_bytes / 1e6;
  if (abuser != nullptr) {
    const auto did = abuser->Finish();
    suffered.done = did[0];
    suffered.refused = did[1];
  }
  return suffered;
}

void CompareAbuses(const Options& options) {
  Cluster::Options cluster_options;
  cluster_options.settings = {kPool, absl::StrCat("allow=group ", kGroup)};
  Cluster cluster(cluster_options);
  Open(cluster);
  Train(cluster);
  std::vector<Suffered> rounds[std::size(kAbuses)];
  for (int round = 0; round < options.rounds; ++round) {
    for (size_t i = 0; i < std::size(kAbuses); ++i) {
      rounds[i].push_back(Suffer(options, cluster, kAbuses[i]));
      const Suffered& last = rounds[i].back();
      std::fprintf(stderr,
                   "%s: %.2f / %.2f / %.1f ms, %.0f tasks/s, %.2f processors, "
                   "%.0f MB, done %.0f, refused %.0f\n",
                   kAbuses[i].text, last.half, last.most, last.worst, last.rate,
                   last.processors, last.megabytes, last.done, last.refused);
    }
  }
  const auto median = [&](size_t i, double Suffered::*of) {
    std::vector<double> values;
    for (const Suffered& round : rounds[i]) values.push_back(round.*of);
    return Median(values);
  };
  std::printf(
      "| what one user does | it: done, refused | another's calls, ms: half / "
      "99%% / longest | times the 99%% without | training, tasks/s | "
      "processors of hydrad | memory, MB |\n"
      "| --- | --- | --- | --- | --- | --- | --- |\n");
  for (size_t i = 0; i < std::size(kAbuses); ++i) {
    std::printf(
        "| %s | %.0f, %.0f | %.2f / %.2f / %.1f | %.2f | %.0f | %.2f | %.0f "
        "|\n",
        kAbuses[i].text, median(i, &Suffered::done),
        median(i, &Suffered::refused), median(i, &Suffered::half),
        median(i, &Suffered::most), median(i, &Suffered::worst),
        median(i, &Suffered::most) / median(0, &Suffered::most),
        median(i, &Suffered::rate), median(i, &Suffered::processors),
        median(i, &Suffered::megabytes));
  }
}

int Main(const Options& options) {
  CHECK_EQ(geteuid(), 0u) << "only root can be many users";
  rlimit files = {};
  PCHECK(getrlimit(RLIMIT_NOFILE, &files) == 0);
  files.rlim_cur = std::min(kOpenFiles, files.rlim_max);
  PCHECK(setrlimit(RLIMIT_NOFILE, &files) == 0);
  const auto is_wanted = [&](const char* part) {
    return options.what == "all" || options.what == part;
  };
  if (is_wanted("calls")) CompareWays(options);
  if (is_wanted("many")) CompareMany(options);
  if (is_wanted("abuse")) CompareAbuses(options);
  return 0;
}

}  // namespace
}  // namespace hydra

int main(int argc, char** argv) {
  google::InitGoogleLogging(argv[0]);
  FLAGS_logtostderr = true;
  hydra::Options options;
  hydra::UserRole role;
  double seconds = options.seconds;
  CLI::App app("Measures a server with many users");
  app.add_option("--what", options.what, "calls, many, abuse, or all");
  app.add_option("--users", options.users);
  app.add_option("--jobs", options.jobs, "of all users");
  app.add_option("--watches", options.watches, "of all users");
  app.add_option("--seconds", seconds, "for each figure");
  app.add_option("--rounds", options.rounds, "of which medians are taken");
  app.add_option("--nice", options.nice, "niceness of who watches and abuses");
  app.add_option("--role", role.name,
                 "be this user (tests/chaos/user_roles.h)");
  app.add_option("--server", role.server, "the role's");
  app.add_option("--threads", role.threads, "the role's");
  CLI11_PARSE(app, argc, argv);
  if (role.name.empty()) {
    options.seconds = static_cast<int>(seconds);
    return hydra::Main(options);
  }
  role.time = absl::Seconds(seconds);
  role.jobs = options.jobs;
  hydra::RunUserRole(role);
  return 0;
}
