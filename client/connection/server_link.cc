#include "client/connection/server_link.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "client/connection/address.h"
#include "client/connection/ssh_address.h"
#include "client/connection/ssh_process.h"
#include "common/clock/steady_time.h"
#include "grpcpp/channel.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/create_channel_posix.h"
#include "grpcpp/security/credentials.h"

namespace hydra {
namespace {

grpc::ChannelArguments Arguments() {
  grpc::ChannelArguments arguments;
  // Loopback and unix sockets never go through a proxy.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // Lists of thousands of jobs exceed the default of 4 MiB.
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  return arguments;
}

class DirectLink final : public ServerLink {
 public:
  explicit DirectLink(const std::string& address)
      : channel_(grpc::CreateCustomChannel(GrpcTarget(address),
                                           grpc::InsecureChannelCredentials(),
                                           Arguments())) {}

  absl::StatusOr<std::shared_ptr<grpc::Channel>> Channel() override {
    return channel_;
  }

  std::string Trouble(absl::string_view reason) override {
    return std::string(reason);
  }

  // Without this a call may fail although the server is back: a channel that
  // has lost its server fails calls at once, and connects only while something
  // waits for it.
  void Await(absl::Duration patience, const Interrupt* interrupt) override {
    // So often the interrupt is looked at.
    constexpr absl::Duration kSlice = absl::Milliseconds(50);
    const absl::Time deadline = SteadyNow() + patience;
    while (!interrupt->triggered()) {
      const absl::Duration left = deadline - SteadyNow();
      if (left <= absl::ZeroDuration()) return;
      // gRPC takes a time of the wall clock, and waits by the monotonic one.
      const absl::Time until = absl::Now() + std::min(left, kSlice);
      if (channel_->WaitForConnected(absl::ToChronoTime(until))) return;
    }
  }

 private:
  const std::shared_ptr<grpc::Channel> channel_;
};

class SshLink final : public ServerLink {
 public:
  explicit SshLink(std::string address) : address_(std::move(address)) {}

  absl::StatusOr<std::shared_ptr<grpc::Channel>> Channel() override {
    absl::MutexLock lock(&mu_);
    if (process_ != nullptr && !is_broken_ &&
        !process_->WaitFor(absl::ZeroDuration())) {
      return channel_;
    }
    channel_ = nullptr;
    process_ = nullptr;
    const auto parsed = ParseSshAddress(address_);
    if (!parsed.ok()) return parsed.status();
    auto process = SshProcess::Start(SshCommand(*parsed));
    if (!process.ok()) return process.status();
    process_ = *std::move(process);
    is_broken_ = false;
    started_at_ = SteadyNow();
    channel_ = grpc::CreateCustomInsecureChannelFromFd(
        address_, process_->TakeSocket().Release(), Arguments());
    return channel_;
  }

  // ssh ends with what it connects, and then its words say more than that a
  // socket was closed. A server may also answer that it is not available.
  std::string Trouble(absl::string_view reason) override {
    constexpr absl::Duration kEndsWithin = absl::Seconds(1);
    absl::MutexLock lock(&mu_);
    is_broken_ = true;
    const bool held = SteadyNow() - started_at_ > kLongestPause;
    pause_ = held ? kFirstPause : std::min(2 * pause_, kLongestPause);
    if (process_ == nullptr || !process_->WaitFor(kEndsWithin)) {
      return std::string(reason);
    }
    return process_->HowItEnded();
  }

  // The next call logs in again, which others may count.
  void Await(absl::Duration, const Interrupt* interrupt) override {
    (void)interrupt->WaitFor(Pause());
  }

 private:
  static constexpr absl::Duration kFirstPause = absl::Seconds(1);
  static constexpr absl::Duration kLongestPause = absl::Seconds(16);

  absl::Duration Pause() {
    absl::MutexLock lock(&mu_);
    return pause_;
  }

  const std::string address_;
  absl::Mutex mu_;
  std::unique_ptr<SshProcess> process_ ABSL_GUARDED_BY(mu_);
  bool is_broken_ ABSL_GUARDED_BY(mu_) = false;
  // By SteadyNow().
  absl::Time started_at_ ABSL_GUARDED_BY(mu_);
  absl::Duration pause_ ABSL_GUARDED_BY(mu_) = kFirstPause / 2;
  // Destroyed first: with it ssh's input ends.
  std::shared_ptr<grpc::Channel> channel_ ABSL_GUARDED_BY(mu_);
};

}  // namespace

std::unique_ptr<ServerLink> MakeServerLink(const std::string& address) {
  if (absl::StartsWith(address, kSshPrefix)) {
    return std::make_unique<SshLink>(address);
  }
  return std::make_unique<DirectLink>(address);
}

}  // namespace hydra
