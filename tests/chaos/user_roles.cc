#include "tests/chaos/user_roles.h"

#include <grpcpp/grpcpp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "common/file/scratch_directory.h"
#include "glog/logging.h"
#include "hydra/v1/hydra.grpc.pb.h"
#include "tests/chaos/figures.h"
#include "tests/chaos/tiny_job.h"
#include "tests/e2e/cluster.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
using Stub = v1::HydraService::Stub;

constexpr absl::Duration kProbeEvery = absl::Milliseconds(20);
constexpr absl::Duration kPatience = absl::Minutes(1);
constexpr int kIdleConnections = 10'000;
constexpr int kVocabulary = 100'000;
// Of submissions, one after the other.
constexpr int kRefusalsUntilCancel = 10;

void SayReady() {
  std::printf("ready\n");
  std::fflush(stdout);
}

template <typename Request, typename Response>
grpc::Status Try(Stub& stub,
                 grpc::Status (Stub::*method)(grpc::ClientContext*,
                                              const Request&, Response*),
                 const Request& request, Response* response) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + kPatience));
  return (stub.*method)(&context, request, response);
}

grpc::Status AskInfo(Stub& stub) {
  v1::GetServerInfoResponse response;
  return Try(stub, &Stub::GetServerInfo, v1::GetServerInfoRequest(), &response);
}

grpc::Status AskList(Stub& stub, int jobs) {
  v1::ListJobsRequest request;
  request.set_page_size(jobs);
  v1::ListJobsResponse response;
  return Try(stub, &Stub::ListJobs, request, &response);
}

void InThreads(int threads, const std::function<void()>& work) {
  std::vector<std::thread> all;
  for (int i = 0; i < threads; ++i) all.emplace_back(work);
  for (std::thread& thread : all) thread.join();
}

// Calls in turns until the time is over, each of which must be answered.
void TimeCalls(const UserRole& role,
               const std::vector<std::function<grpc::Status(Stub&)>>& calls,
               absl::Duration pause) {
  absl::Mutex mu;
  std::vector<double> milliseconds;
  SayReady();
  const absl::Time begin = absl::Now();
  InThreads(role.threads, [&] {
    const auto stub = ConnectTo(role.server);
    std::vector<double> own;
    while (absl::Now() < begin + role.time) {
      for (const auto& call : calls) {
        const absl::Time start = absl::Now();
        const grpc::Status status = call(*stub);
        own.push_back(absl::ToDoubleMilliseconds(absl::Now() - start));
        CHECK(status.ok()) << status.error_message();
      }
      if (pause > absl::ZeroDuration()) absl::SleepFor(pause);
    }
    absl::MutexLock lock(&mu);
    milliseconds.insert(milliseconds.end(), own.begin(), own.end());
  });
  std::printf("%.1f %.3f %.3f %.3f\n",
              milliseconds.size() / absl::ToDoubleSeconds(absl::Now() - begin),
              Quantile(milliseconds, 0.5), Quantile(milliseconds, 0.99),
              Quantile(milliseconds, 1));
}

void Flood(const UserRole& role) {
  std::atomic<int64_t> answered = 0;
  std::atomic<int64_t> refused = 0;
  SayReady();
  const absl::Time end = absl::Now() + role.time;
  InThreads(role.threads, [&] {
    const auto stub = ConnectTo(role.server);
    while (absl::Now() < end) {
      ++(AskInfo(*stub).ok() ? answered : refused);
      ++(AskList(*stub, 1000).ok() ? answered : refused);
    }
  });
  std::printf("%lld %lld\n", static_cast<long long>(answered.load()),
              static_cast<long long>(refused.load()));
}

// A stream of all jobs with a connection of its own.
class OpenWatch {
 public:
  explicit OpenWatch(const std::string& server) : stub_(ConnectTo(server)) {
    v1::WatchRequest request;
    request.set_interval_ms(20);
    stream_ = stub_->Watch(&context_, request);
  }
  ~OpenWatch() {
    context_.TryCancel();
    if (reader_.joinable()) {
      reader_.join();
    } else {
      v1::WatchResponse response;
      while (stream_->Read(&response)) {
      }
    }
    (void)stream_->Finish();
  }

  // Blocks until the first message.
  void ReadAll() {
    v1::WatchResponse response;
    CHECK(stream_->Read(&response)) << stream_->Finish().error_message();
    ++messages_;
    reader_ = std::thread([this] {
      v1::WatchResponse more;
      while (stream_->Read(&more)) ++messages_;
    });
  }
  int64_t messages() const { return messages_; }

 private:
  std::unique_ptr<Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::WatchResponse>> stream_;
  std::atomic<int64_t> messages_ = 0;
  std::thread reader_;
};

void Watch(const UserRole& role, bool is_read) {
  std::vector<std::unique_ptr<OpenWatch>> watches;
  for (int i = 0; i < role.threads; ++i) {
    watches.push_back(std::make_unique<OpenWatch>(role.server));
    if (is_read) watches.back()->ReadAll();
  }
  SayReady();
  absl::SleepFor(role.time);
  int64_t messages = 0;
  for (const auto& watch : watches) messages += watch->messages();
  std::printf("%d %lld\n", role.threads, static_cast<long long>(messages));
}

int OpenSocket(const std::string& server) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  const std::string path(absl::StripPrefix(server, "unix:"));
  CHECK_LT(path.size(), sizeof(address.sun_path));
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const int connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connection < 0) return -1;
  if (connect(connection, reinterpret_cast<const sockaddr*>(&address),
              sizeof(address)) != 0) {
    close(connection);
    return -1;
  }
  return connection;
}

void Connect(const UserRole& role) {
  int64_t opened = 0;
  int64_t failed = 0;
  SayReady();
  const absl::Time end = absl::Now() + role.time;
  while (absl::Now() < end) {
    std::vector<int> connections;
    for (int i = 0; i < kIdleConnections && absl::Now() < end; ++i) {
      const int connection = OpenSocket(role.server);
      if (connection >= 0) connections.push_back(connection);
      ++(connection >= 0 ? opened : failed);
    }
    absl::SleepFor(std::min(absl::Seconds(1), end - absl::Now()));
    for (int connection : connections) close(connection);
  }
  std::printf("%lld %lld\n", static_cast<long long>(opened),
              static_cast<long long>(failed));
}

void Queue(const UserRole& role) {
  const ScratchDirectory scratch;
  const auto stub = ConnectTo(role.server);
  v1::SubmitResponse response;
  const grpc::Status status =
      Try(*stub, &Stub::Submit,
          TinySweep(scratch.path(), role.jobs, kVocabulary), &response);
  CHECK(status.ok()) << status.error_message();
  std::printf("%d 0\n", response.jobs_size());
}

void SubmitWithoutEnd(const UserRole& role) {
  const ScratchDirectory scratch;
  const v1::SubmitRequest request =
      TinySweep(scratch.path(), role.jobs, kVocabulary);
  const auto stub = ConnectTo(role.server);
  int64_t taken = 0;
  int64_t refused = 0;
  SayReady();
  const absl::Time end = absl::Now() + role.time;
  std::vector<std::string> sweeps;
  const auto cancel_all = [&] {
    for (const std::string& sweep : std::exchange(sweeps, {})) {
      v1::CancelRequest cancel;
      cancel.set_sweep_id(sweep);
      v1::CancelResponse response;
      (void)Try(*stub, &Stub::Cancel, cancel, &response);
    }
  };
  while (absl::Now() < end) {
    for (int refusals = 0; refusals < kRefusalsUntilCancel && absl::Now() < end;
         ++refusals) {
      v1::SubmitResponse response;
      if (Try(*stub, &Stub::Submit, request, &response).ok()) {
        sweeps.push_back(response.sweep_id());
        ++taken;
        refusals = 0;
      } else {
        ++refused;
      }
    }
    if (absl::Now() < end) cancel_all();
  }
  std::printf("%lld %lld\n", static_cast<long long>(taken),
              static_cast<long long>(refused));
  // What comes behind finds an empty queue.
  cancel_all();
}

}  // namespace

void RunUserRole(const UserRole& role) {
  const auto list = [](Stub& stub) { return AskList(stub, 20); };
  if (role.name == "info") {
    TimeCalls(role, {AskInfo}, absl::ZeroDuration());
  } else if (role.name == "list") {
    TimeCalls(role, {list}, absl::ZeroDuration());
  } else if (role.name == "probe") {
    TimeCalls(role, {AskInfo, list}, kProbeEvery);
  } else if (role.name == "flood") {
    Flood(role);
  } else if (role.name == "watch") {
    Watch(role, /*is_read=*/true);
  } else if (role.name == "mute") {
    Watch(role, /*is_read=*/false);
  } else if (role.name == "connect") {
    Connect(role);
  } else if (role.name == "queue") {
    Queue(role);
  } else if (role.name == "submit") {
    SubmitWithoutEnd(role);
  } else {
    LOG(FATAL) << "there is no role '" << role.name << "'";
  }
}

}  // namespace hydra
