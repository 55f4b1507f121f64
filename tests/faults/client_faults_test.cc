// Clients that vanish: the daemon keeps nothing of them.

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "grpcpp/grpcpp.h"
#include "tests/faults/fault_fixture.h"
#include "tests/faults/silent_proxy.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
namespace v1 = hydra::v1;

struct Holdings {
  int files = 0;
  int threads = 0;
};

int EntryCount(const std::string& directory) {
  return static_cast<int>(std::distance(fs::directory_iterator(directory),
                                        fs::directory_iterator()));
}

// But for those that gRPC makes when it first has much to do at once, as many
// as twice the cores, and keeps.
int ThreadsOf(pid_t pid) {
  int threads = 0;
  for (const fs::directory_entry& thread :
       fs::directory_iterator(absl::StrCat("/proc/", pid, "/task"))) {
    std::string name;
    std::ifstream(thread.path() / "comm") >> name;
    if (name != "default-executo") ++threads;
  }
  return threads;
}

Holdings HoldingsOf(pid_t pid) {
  return {EntryCount(absl::StrCat("/proc/", pid, "/fd")), ThreadsOf(pid)};
}

// A connection whose client dies in the middle of a request: HTTP/2's preface,
// and the head of a frame that never comes.
void BreakOffARequest(const std::string& socket_path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, socket_path.c_str(),
               sizeof(address.sun_path) - 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  PCHECK(connect(fd, reinterpret_cast<const sockaddr*>(&address),
                 sizeof(address)) == 0);
  constexpr char kHalfARequest[] =
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
      "\0\0\0\4\0\0\0\0\0"
      "\0\1\0\1\4\0\0\0\1half";
  PCHECK(write(fd, kHalfARequest, sizeof(kHalfARequest) - 1) > 0);
  close(fd);
}

class ClientFaultsTest : public FaultTest {};

TEST_F(ClientFaultsTest, F06NothingIsLeftOfClientsThatVanish) {
  constexpr int kRounds = 6;
  Cluster cluster(Options());
  // Each worker's connection is a file of the daemon too.
  cluster.WorkerPids();
  v1::JobSpec job_spec = spec();
  job_spec.mutable_train()->set_max_steps(1'000'000);
  const std::string job = cluster.Submit(job_spec);
  cluster.AwaitStep(job, 1);
  const std::string server = "--server=" + cluster.address();

  Holdings most;
  auto round = [&] {
    std::vector<pid_t> clients;
    std::vector<std::string> printed;
    for (const std::vector<std::string>& command :
         std::vector<std::vector<std::string>>{
             {"watch", job}, {"logs", job, "-f"}, {"watch"}}) {
      std::vector<std::string> arguments = {"client/hydra", server};
      arguments.insert(arguments.end(), command.begin(), command.end());
      printed.push_back(absl::StrCat(FreshDirectory(), "/printed"));
      clients.push_back(StartProgram(arguments, printed.back()));
    }
    // Every stream is open once it has brought something.
    cluster.Await([&] {
      return std::all_of(printed.begin(), printed.end(),
                         [](const std::string& path) {
                           std::error_code error;
                           return fs::file_size(path, error) > 0 && !error;
                         });
    });
    BreakOffARequest(cluster.directory() + "/hydrad.sock");
    // One does not read any more before it dies.
    kill(clients.front(), SIGSTOP);
    const Holdings now = HoldingsOf(cluster.daemon_pid());
    most.files = std::max(most.files, now.files);
    most.threads = std::max(most.threads, now.threads);
    for (pid_t client : clients) {
      kill(client, SIGKILL);
      waitpid(client, nullptr, 0);
    }
  };
  // What is made once for all clients is there after the first of them.
  round();
  Holdings before;
  cluster.Await([&] {
    before = HoldingsOf(cluster.daemon_pid());
    return before.files < most.files;
  });
  for (int i = 0; i < kRounds; ++i) round();
  const absl::Duration gone = Time(cluster, [&] {
    const Holdings now = HoldingsOf(cluster.daemon_pid());
    return now.files <= before.files && now.threads <= before.threads;
  });
  EXPECT_GE(cluster.Job(job).status().step(), 1);
  Row("F06",
      absl::StrCat(kRounds,
                   " rounds of SIGKILL of clients in watch, logs -f and a "
                   "half request"),
      absl::StrCat("at most ", most.files, " files and ", most.threads,
                   " threads, back to ", before.files, " and ", before.threads),
      gone, std::nullopt);
  Cancel(cluster.stub(), job);
}

// The line to a client breaks, or its machine does: no packet says so.
TEST_F(ClientFaultsTest, F06AHalfOpenConnectionIsClosed) {
  const int port = FreePort();
  Cluster::Options options = Options();
  options.settings.push_back(absl::StrCat("tcp_address=127.0.0.1:", port));
  options.settings.push_back("insecure_tcp=true");
  Cluster cluster(options);
  // Each worker's connection is a file of the daemon too.
  cluster.WorkerPids();
  v1::JobSpec endless = spec();
  endless.mutable_train()->set_max_steps(1'000'000);
  const std::string job = cluster.Submit(endless);
  cluster.AwaitStep(job, 1);
  // Of threads the server keeps as many as it likes.
  const int files = HoldingsOf(cluster.daemon_pid()).files;

  SilentProxy proxy(port);
  auto stub = ConnectTo(absl::StrCat("127.0.0.1:", proxy.port()));
  grpc::ClientContext context;
  auto reader = stub->Watch(&context, {});
  v1::WatchResponse response;
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_GT(HoldingsOf(cluster.daemon_pid()).files, files);
  proxy.GoSilent();
  context.TryCancel();
  reader->Finish();
  stub.reset();

  const absl::Duration gone = Time(
      cluster, [&] { return HoldingsOf(cluster.daemon_pid()).files <= files; });
  EXPECT_LE(gone, absl::Seconds(30));
  Row("F06", "a TCP connection with an open watch falls silent",
      "the daemon has as many files as before", gone, std::nullopt);
  Cancel(cluster.stub(), job);
}

}  // namespace
}  // namespace hydra
