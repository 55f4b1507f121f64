#include "client/connection/connection.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "client/connection/socket_access.h"
#include "client/render/format.h"
#include "common/status/error_details.h"
#include "common/status/rpc_status.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/sync_stream.h"
#include "hydra/v1/hydra.grpc.pb.h"

namespace hydra {
namespace {

// Of a call that the server says to make again.
constexpr int kMostAttempts = 3;

}  // namespace

class Connection::Rpcs {
 public:
  using Stub = v1::HydraService::Stub;

  Rpcs(std::string address, absl::Duration timeout, ServerLink* link)
      : address_(std::move(address)), timeout_(timeout), link_(link) {}

  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(
      grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                   Response*),
      const Request& request) const {
    const auto stub = MakeStub();
    if (!stub.ok()) return stub.status();
    const absl::Time deadline = absl::Now() + timeout_;
    for (int attempt = 1;; ++attempt) {
      grpc::ClientContext context;
      context.set_deadline(absl::ToChronoTime(deadline));
      Response response;
      const grpc::Status status =
          (stub->get()->*method)(&context, request, &response);
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
    const auto stub = MakeStub();
    if (!stub.ok()) return stub.status();
    grpc::ClientContext context;
    Interrupt::Scope scope(interrupt, [&context] { context.TryCancel(); });
    const auto reader = (stub->get()->*method)(&context, request);
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
  absl::StatusOr<std::unique_ptr<Stub>> MakeStub() const {
    const auto channel = link_->Channel();
    if (!channel.ok()) return channel.status();
    return v1::HydraService::NewStub(*channel);
  }

  absl::Status NotReached(const grpc::Status& status) const {
    absl::string_view path = address_;
    if (absl::ConsumePrefix(&path, "unix:")) {
      const std::string why = WhyNoAccess(std::string(path));
      if (!why.empty()) return absl::PermissionDeniedError(why);
    }
    return absl::UnavailableError(absl::StrCat(
        "server ", address_, ": ", link_->Trouble(status.error_message())));
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
  ServerLink* const link_;
};

Connection::Connection(std::string address, absl::Duration timeout)
    : address_(std::move(address)),
      link_(MakeServerLink(address_)),
      rpcs_(std::make_unique<Rpcs>(address_, timeout, link_.get())) {}

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

absl::StatusOr<v1::DeleteResponse> Connection::Delete(
    const v1::DeleteRequest& request) {
  return rpcs_->Call(&Rpcs::Stub::Delete, request);
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

absl::StatusOr<v1::DrainResponse> Connection::Drain(
    const v1::DrainRequest& request) {
  return rpcs_->Call(&Rpcs::Stub::Drain, request);
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
  link_->Await(patience, interrupt);
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> Connection::channel() const {
  return link_->Channel();
}

}  // namespace hydra
