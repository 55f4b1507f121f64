#include "client/connection/connection.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "client/connection/address.h"
#include "client/connection/socket_access.h"
#include "client/render/format.h"
#include "common/clock/steady_time.h"
#include "common/status/error_details.h"
#include "common/status/rpc_status.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/sync_stream.h"
#include "hydra/v1/hydra.grpc.pb.h"

namespace hydra {
namespace {

// Of a call that the server says to make again.
constexpr int kMostAttempts = 3;

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  // Loopback and unix sockets never go through a proxy.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // Lists of thousands of jobs exceed the default of 4 MiB.
  arguments.SetMaxReceiveMessageSize(-1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  return grpc::CreateCustomChannel(
      GrpcTarget(address), grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace

class Connection::Rpcs {
 public:
  using Stub = v1::HydraService::Stub;

  Rpcs(std::string address, absl::Duration timeout,
       const std::shared_ptr<grpc::Channel>& channel)
      : address_(std::move(address)),
        timeout_(timeout),
        stub_(v1::HydraService::NewStub(channel)) {}

  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(
      grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                   Response*),
      const Request& request) const {
    const absl::Time deadline = absl::Now() + timeout_;
    for (int attempt = 1;; ++attempt) {
      grpc::ClientContext context;
      context.set_deadline(absl::ToChronoTime(deadline));
      Response response;
      const grpc::Status status =
          (stub_.get()->*method)(&context, request, &response);
      if (status.ok()) return response;
      // Each call may be made again: Submit has its request_id.
      const std::optional<absl::Duration> pause = RetryAfter(FromGrpc(status));
      if (!pause.has_value() || attempt == kMostAttempts ||
          absl::Now() + *pause >= deadline) {
        return Explain(status);
      }
      absl::SleepFor(*pause);
    }
  }

  template <typename Request, typename Response>
  absl::Status Read(std::unique_ptr<grpc::ClientReader<Response>> (
                        Stub::*method)(grpc::ClientContext*, const Request&),
                    const Request& request, Interrupt* interrupt,
                    OnMessage<Response> on_message) const {
    grpc::ClientContext context;
    Interrupt::Scope scope(interrupt, [&context] { context.TryCancel(); });
    const auto reader = (stub_.get()->*method)(&context, request);
    absl::Status handled;
    Response response;
    while (handled.ok() && reader->Read(&response)) {
      handled = on_message(response);
    }
    if (!handled.ok()) context.TryCancel();
    const grpc::Status status = reader->Finish();
    if (!handled.ok()) return handled;
    return status.ok() ? absl::OkStatus() : Explain(status);
  }

 private:
  absl::Status NotReached(const grpc::Status& status) const {
    absl::string_view path = address_;
    if (absl::ConsumePrefix(&path, "unix:")) {
      const std::string why = WhyNoAccess(std::string(path));
      if (!why.empty()) return absl::PermissionDeniedError(why);
    }
    return absl::UnavailableError(
        absl::StrCat("server ", address_, ": ", status.error_message()));
  }

  absl::Status Explain(const grpc::Status& status) const {
    switch (status.error_code()) {
      case grpc::StatusCode::DEADLINE_EXCEEDED:
        return absl::DeadlineExceededError(
            absl::StrCat("server ", address_, " did not answer within ",
                         DurationText(timeout_), " (see --timeout)"));
      case grpc::StatusCode::UNAVAILABLE:
        return NotReached(status);
      default:
        return FromGrpc(status);
    }
  }

  const std::string address_;
  const absl::Duration timeout_;
  const std::unique_ptr<Stub> stub_;
};

Connection::Connection(std::string address, absl::Duration timeout)
    : address_(std::move(address)),
      channel_(MakeChannel(address_)),
      rpcs_(std::make_unique<Rpcs>(address_, timeout, channel_)) {}

Connection::~Connection() = default;

absl::StatusOr<v1::SubmitResponse> Connection::Submit(
    const v1::SubmitRequest& request) {
  return rpcs_->Call(&Rpcs::Stub::Submit, request);
}

absl::StatusOr<v1::PlanResponse> Connection::Plan(
    const v1::PlanRequest& request) {
  return rpcs_->Call(&Rpcs::Stub::Plan, request);
}

absl::StatusOr<v1::ListJobsResponse> Connection::ListJobs(
    const v1::ListJobsRequest& request) {
  return rpcs_->Call(&Rpcs::Stub::ListJobs, request);
}

absl::StatusOr<v1::GetJobResponse> Connection::GetJob(
    const v1::GetJobRequest& request) {
  return rpcs_->Call(&Rpcs::Stub::GetJob, request);
}

absl::StatusOr<v1::ListMetricsResponse> Connection::ListMetrics(
    const v1::ListMetricsRequest& request) {
  return rpcs_->Call(&Rpcs::Stub::ListMetrics, request);
}

absl::StatusOr<v1::CancelResponse> Connection::Cancel(
    const v1::CancelRequest& request) {
  return rpcs_->Call(&Rpcs::Stub::Cancel, request);
}

absl::StatusOr<v1::PauseResponse> Connection::Pause(
    const v1::PauseRequest& request) {
  return rpcs_->Call(&Rpcs::Stub::Pause, request);
}

absl::StatusOr<v1::ResumeResponse> Connection::Resume(
    const v1::ResumeRequest& request) {
  return rpcs_->Call(&Rpcs::Stub::Resume, request);
}

absl::StatusOr<v1::SetPriorityResponse> Connection::SetPriority(
    const v1::SetPriorityRequest& request) {
  return rpcs_->Call(&Rpcs::Stub::SetPriority, request);
}

absl::StatusOr<v1::GetResultsResponse> Connection::GetResults(
    const v1::GetResultsRequest& request) {
  return rpcs_->Call(&Rpcs::Stub::GetResults, request);
}

absl::StatusOr<v1::ListWorkersResponse> Connection::ListWorkers(
    const v1::ListWorkersRequest& request) {
  return rpcs_->Call(&Rpcs::Stub::ListWorkers, request);
}

absl::StatusOr<v1::GetServerInfoResponse> Connection::GetServerInfo(
    const v1::GetServerInfoRequest& request) {
  return rpcs_->Call(&Rpcs::Stub::GetServerInfo, request);
}

absl::StatusOr<v1::ListAuditResponse> Connection::ListAudit(
    const v1::ListAuditRequest& request) {
  return rpcs_->Call(&Rpcs::Stub::ListAudit, request);
}

absl::Status Connection::Watch(const v1::WatchRequest& request,
                               Interrupt* interrupt,
                               OnMessage<v1::WatchResponse> on_message) {
  return rpcs_->Read(&Rpcs::Stub::Watch, request, interrupt, on_message);
}

absl::Status Connection::StreamLogs(
    const v1::StreamLogsRequest& request, Interrupt* interrupt,
    OnMessage<v1::StreamLogsResponse> on_message) {
  return rpcs_->Read(&Rpcs::Stub::StreamLogs, request, interrupt, on_message);
}

absl::Status Connection::Download(const v1::DownloadRequest& request,
                                  Interrupt* interrupt,
                                  OnMessage<v1::DownloadResponse> on_message) {
  return rpcs_->Read(&Rpcs::Stub::Download, request, interrupt, on_message);
}

absl::Status Connection::Trace(const v1::TraceRequest& request,
                               Interrupt* interrupt,
                               OnMessage<v1::TraceResponse> on_message) {
  return rpcs_->Read(&Rpcs::Stub::Trace, request, interrupt, on_message);
}

void Connection::AwaitServer(absl::Duration patience,
                             const Interrupt* interrupt) const {
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

}  // namespace hydra
