#include "tests/e2e/cluster.h"

#include <fcntl.h>
#include <grpcpp/grpcpp.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "glog/logging.h"

extern char** environ;

namespace hydra {
namespace {

namespace fs = std::filesystem;
namespace v1 = hydra::v1;

constexpr absl::Duration kPatience = absl::Minutes(10);
constexpr absl::Duration kPoll = absl::Milliseconds(20);

// Appends what it writes to `output_path`.
pid_t Spawn(const std::vector<std::string>& arguments,
            const std::string& output_path,
            const std::vector<std::string>& environment = {}) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, output_path.c_str(),
                                   O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  std::vector<char*> pointers;
  for (const std::string& argument : arguments) {
    pointers.push_back(const_cast<char*>(argument.c_str()));
  }
  pointers.push_back(nullptr);
  std::vector<char*> variables;
  for (const std::string& variable : environment) {
    variables.push_back(const_cast<char*>(variable.c_str()));
  }
  for (char** own = environ; *own != nullptr; ++own) variables.push_back(*own);
  variables.push_back(nullptr);
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, pointers[0], &actions, nullptr,
                                 pointers.data(), variables.data());
  posix_spawn_file_actions_destroy(&actions);
  CHECK_EQ(error, 0) << "cannot start " << arguments[0];
  return pid;
}

int Wait(pid_t pid) {
  int status = 0;
  CHECK_EQ(waitpid(pid, &status, 0), pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Removes what it made when the process ends.
struct Directories {
  ~Directories() {
    for (const std::string& path : made) fs::remove_all(path);
  }
  std::vector<std::string> made;
};

}  // namespace

std::string FreshDirectory() {
  static Directories directories;
  // Short, since a socket's path must be.
  std::string path = "/tmp/hydra-e2e-XXXXXX";
  CHECK(mkdtemp(path.data()) != nullptr);
  directories.made.push_back(path);
  return path;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  CHECK(file) << "cannot read " << path;
  std::stringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

void WriteFile(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

ProgramResult RunProgram(const std::vector<std::string>& arguments) {
  const std::string output = FreshDirectory() + "/output";
  ProgramResult result;
  result.code = Wait(Spawn(arguments, output));
  result.output = ReadFile(output);
  return result;
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
  for (const std::string& setting : options.settings) {
    arguments.push_back("--set=" + setting);
  }
  arguments.push_back("--set=state_dir=" + state_dir());
  arguments.push_back("--set=unix_socket=" + directory_ + "/hydrad.sock");
  arguments.push_back("--set=pool.path=" + directory_ + "/pool");
  arguments.push_back("--set=worker_binary=" +
                      fs::absolute("worker/hydra-worker").string());
  arguments.push_back("--set=output_roots=" + directory_);
  pid_ = Spawn(arguments, log_path(), options.environment);
  Await([&] {
    CHECK_EQ(waitpid(pid_, nullptr, WNOHANG), 0)
        << "hydrad ended at its start: " << ReadFile(log_path());
    // A new channel each time: one that failed to connect waits before it tries
    // again.
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    stub_ = v1::HydraService::NewStub(grpc::CreateCustomChannel(
        address(), grpc::InsecureChannelCredentials(), arguments));
    grpc::ClientContext context;
    v1::GetServerInfoResponse response;
    return stub_->GetServerInfo(&context, {}, &response).ok();
  });
}

void Cluster::KillDaemon() {
  kill(pid_, SIGKILL);
  Wait(std::exchange(pid_, 0));
}

void Cluster::StopDaemon() {
  kill(pid_, SIGTERM);
  const int code = Wait(std::exchange(pid_, 0));
  CHECK_EQ(code, 0) << ReadFile(log_path());
}

Cluster::~Cluster() {
  if (pid_ != 0) StopDaemon();
}

std::string Cluster::address() const {
  return absl::StrCat("unix:", directory_, "/hydrad.sock");
}

std::vector<v1::WorkerStatus> Cluster::Workers() {
  grpc::ClientContext context;
  v1::ListWorkersResponse response;
  CHECK(stub_->ListWorkers(&context, {}, &response).ok());
  return {response.workers().begin(), response.workers().end()};
}

v1::JobDetail Cluster::Job(const std::string& id) {
  grpc::ClientContext context;
  v1::GetJobRequest request;
  request.set_job_id(id);
  v1::GetJobResponse response;
  const grpc::Status status = stub_->GetJob(&context, request, &response);
  CHECK(status.ok()) << status.error_message();
  return response.job();
}

std::vector<std::string> Cluster::Submit(const v1::SubmitRequest& request) {
  grpc::ClientContext context;
  v1::SubmitResponse response;
  const grpc::Status status = stub_->Submit(&context, request, &response);
  CHECK(status.ok()) << status.error_message();
  std::vector<std::string> ids;
  for (const v1::JobStatus& job : response.jobs()) ids.push_back(job.job_id());
  return ids;
}

void Cluster::Await(const std::function<bool()>& done) {
  const absl::Time deadline = absl::Now() + kPatience;
  while (!done()) {
    CHECK(absl::Now() < deadline) << "waited in vain; hydrad's log:\n"
                                  << ReadFile(log_path());
    absl::SleepFor(kPoll);
  }
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
  v1::SubmitRequest request;
  *request.mutable_job() = spec;
  return AwaitEnd(Submit(request).front());
}

}  // namespace hydra
