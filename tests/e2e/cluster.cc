#include "tests/e2e/cluster.h"

#include <fcntl.h>
#include <grpcpp/grpcpp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/file/scratch_directory.h"
#include "glog/logging.h"
#include "tests/e2e/call.h"

extern char** environ;

namespace hydra {
namespace {

namespace fs = std::filesystem;
namespace v1 = hydra::v1;

constexpr absl::Duration kPatience = absl::Minutes(10);
// For one call, and for a daemon's end: hydrad promises it within 30 s.
constexpr absl::Duration kDeadline = absl::Seconds(60);
constexpr absl::Duration kPoll = absl::Milliseconds(20);
// Between two looks that find the pool as full as before.
constexpr absl::Duration kPoolIsStill = absl::Seconds(5);

// What execve needs, ended by a null.
std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& string : strings) {
    pointers.push_back(const_cast<char*>(string.c_str()));
  }
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

std::string FreshDirectory() {
  static std::deque<ScratchDirectory> directories;
  return directories.emplace_back().path();
}

pid_t StartProgram(const std::vector<std::string>& arguments,
                   const std::string& output_path,
                   const std::vector<std::string>& environment) {
  const std::vector<char*> argument_pointers = Pointers(arguments);
  std::vector<char*> variables = Pointers(environment);
  variables.pop_back();
  for (char** own = environ; *own != nullptr; ++own) variables.push_back(*own);
  variables.push_back(nullptr);
  const int output = open(output_path.c_str(),
                          O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  PCHECK(output >= 0) << output_path;
  const pid_t parent = getpid();
  const pid_t pid = fork();
  PCHECK(pid >= 0);
  if (pid == 0) {
    // Other threads' locks may be held: nothing but system calls.
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() == parent && dup2(output, 1) == 1 && dup2(output, 2) == 2) {
      execvpe(argument_pointers[0], argument_pointers.data(), variables.data());
    }
    _exit(127);
  }
  close(output);
  return pid;
}

int AwaitProgram(pid_t pid, absl::Duration patience) {
  const absl::Time deadline = absl::Now() + patience;
  int status = 0;
  pid_t ended = 0;
  while ((ended = waitpid(pid, &status, WNOHANG)) == 0) {
    CHECK(absl::Now() < deadline)
        << "process " << pid << " runs still after " << patience;
    absl::SleepFor(kPoll);
  }
  PCHECK(ended == pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

ProgramResult RunProgram(const std::vector<std::string>& arguments) {
  const std::string output = FreshDirectory() + "/output";
  ProgramResult result;
  result.code = AwaitProgram(StartProgram(arguments, output));
  result.output = ReadFile(output);
  return result;
}

std::unique_ptr<v1::HydraService::Stub> ConnectTo(const std::string& address) {
  grpc::ChannelArguments arguments;
  // A new connection each time: one that failed to connect waits before it
  // tries again.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxReceiveMessageSize(-1);
  return v1::HydraService::NewStub(grpc::CreateCustomChannel(
      address, grpc::InsecureChannelCredentials(), arguments));
}

Cluster::Options TwoDevices() {
  Cluster::Options options;
  options.devices = {"cpu:0=64MiB", "cpu:1=64MiB"};
  return options;
}

Cluster::Cluster(const Options& options) : directory_(FreshDirectory()) {
  StartDaemon(options);
}

void Cluster::StartDaemon(const Options& options) {
  CHECK_EQ(pid_, 0) << "it runs already";
  options_ = options;
  std::vector<std::string> arguments = {"scheduler/hydrad"};
  for (const std::string& device : options.devices) {
    arguments.push_back("--device=" + device);
  }
  arguments.push_back("--set=state_dir=" + state_dir());
  arguments.push_back("--set=unix_socket=" + directory_ + "/hydrad.sock");
  if (options.has_own_pool) {
    arguments.push_back("--set=pool.path=" + directory_ + "/pool");
  }
  arguments.push_back("--set=worker_binary=" +
                      fs::absolute("worker/hydra-worker").string());
  arguments.push_back("--set=output_roots=" + directory_);
  // Last, so that they win.
  for (const std::string& setting : options.settings) {
    arguments.push_back("--set=" + setting);
  }
  pid_ = StartProgram(arguments, log_path(), options.environment);
  Await([&] {
    CHECK_EQ(waitpid(pid_, nullptr, WNOHANG), 0)
        << "hydrad ended at its start: " << ReadFile(log_path());
    stub_ = ConnectTo(address());
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + kDeadline));
    v1::GetServerInfoResponse response;
    return stub_->GetServerInfo(&context, {}, &response).ok();
  });
}

void Cluster::KillDaemon() {
  kill(pid_, SIGKILL);
  AwaitProgram(std::exchange(pid_, 0), kDeadline);
}

void Cluster::LosePool() const {
  fs::remove(directory_ + "/pool");
  fs::remove(directory_ + "/pool.db");
}

void Cluster::StopDaemon() {
  kill(pid_, SIGTERM);
  const int code = AwaitProgram(std::exchange(pid_, 0), kDeadline);
  CHECK_EQ(code, 0) << ReadFile(log_path());
}

Cluster::~Cluster() {
  if (pid_ != 0) StopDaemon();
}

std::string Cluster::address() const {
  return absl::StrCat("unix:", directory_, "/hydrad.sock");
}

std::vector<v1::WorkerStatus> Cluster::Workers() {
  const auto response = Call(*stub_, &v1::HydraService::Stub::ListWorkers, {});
  return {response.workers().begin(), response.workers().end()};
}

int Cluster::Restarts() {
  int restarts = 0;
  for (const v1::WorkerStatus& worker : Workers()) {
    restarts += worker.restarts();
  }
  return restarts;
}

std::vector<pid_t> Cluster::WorkerPids() {
  std::vector<pid_t> pids;
  Await([&] {
    pids.clear();
    bool all_ready = true;
    for (const v1::WorkerStatus& worker : Workers()) {
      pids.push_back(static_cast<pid_t>(worker.pid()));
      all_ready = all_ready && worker.state() == v1::WORKER_STATE_READY;
    }
    return all_ready;
  });
  return pids;
}

v1::JobDetail Cluster::Job(const std::string& id) {
  v1::GetJobRequest request;
  request.set_job_id(id);
  return Call(*stub_, &v1::HydraService::Stub::GetJob, request).job();
}

std::vector<v1::JobStatus> Cluster::List(const std::string& sweep_id) {
  v1::ListJobsRequest request;
  request.set_sweep_id(sweep_id);
  std::vector<v1::JobStatus> jobs;
  do {
    const auto page = Call(*stub_, &v1::HydraService::Stub::ListJobs, request);
    jobs.insert(jobs.end(), page.jobs().begin(), page.jobs().end());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return jobs;
}

v1::GetServerInfoResponse Cluster::Info() {
  return Call(*stub_, &v1::HydraService::Stub::GetServerInfo, {});
}

int64_t Cluster::AwaitEmptyPool() {
  int64_t used = Info().pool_used_bytes();
  absl::Time changed = absl::Now();
  while (used != 0 && absl::Now() < changed + kPoolIsStill) {
    absl::SleepFor(kPoll);
    const int64_t now_used = Info().pool_used_bytes();
    if (now_used != used) changed = absl::Now();
    used = now_used;
  }
  return used;
}

int64_t Cluster::LogLinesWith(absl::string_view text) const {
  int64_t count = 0;
  std::ifstream log(log_path());
  for (std::string line; std::getline(log, line);) {
    if (absl::StrContains(line, text)) ++count;
  }
  return count;
}

std::vector<std::string> Cluster::Submit(const v1::SubmitRequest& request) {
  const auto response = Call(*stub_, &v1::HydraService::Stub::Submit, request);
  std::vector<std::string> ids;
  for (const v1::JobStatus& job : response.jobs()) ids.push_back(job.job_id());
  return ids;
}

std::string Cluster::Submit(const v1::JobSpec& spec) {
  v1::SubmitRequest request;
  *request.mutable_job() = spec;
  return Submit(request).front();
}

void Cluster::Await(const std::function<bool()>& done) {
  const absl::Time deadline = absl::Now() + kPatience;
  while (!done()) {
    CHECK(absl::Now() < deadline) << "waited in vain; hydrad's log:\n"
                                  << ReadFile(log_path());
    absl::SleepFor(kPoll);
  }
}

void Cluster::AwaitJob(const std::string& job_id,
                       const std::function<bool(const v1::JobDetail&)>& done) {
  Await([&] {
    const v1::JobDetail job = Job(job_id);
    if (done(job)) return true;
    CHECK(job.status().phase() != v1::JOB_PHASE_ENDED)
        << job_id << " ended too early: " << job.status().ShortDebugString();
    return false;
  });
}

void Cluster::AwaitStep(const std::string& job_id, int64_t step) {
  AwaitJob(job_id, [&](const v1::JobDetail& job) {
    return job.status().step() >= step;
  });
}

v1::JobDetail Cluster::AwaitEnd(const std::string& job_id) {
  v1::JobDetail detail;
  Await([&] {
    detail = Job(job_id);
    return detail.status().phase() == v1::JOB_PHASE_ENDED;
  });
  return detail;
}

v1::JobDetail Cluster::Run(const v1::JobSpec& spec) {
  return AwaitEnd(Submit(spec));
}

}  // namespace hydra
