#ifndef HYDRA_CLIENT_CONNECTION_CONNECTION_H_
#define HYDRA_CLIENT_CONNECTION_CONNECTION_H_

#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/connection/interrupt.h"
#include "client/connection/server_link.h"
#include "hydra/v1/hydra.pb.h"

namespace hydra {

// A way to one server, and a method for each RPC of HydraService, so that
// commands need nothing of gRPC. Thread-safe. Connects when first used, and
// again when the server was away.
//
// Errors are those of the server; besides, DEADLINE_EXCEEDED when a call took
// longer than the timeout, UNAVAILABLE when nobody listens, or ssh cannot
// connect, and PERMISSION_DENIED when this process may not connect to the
// socket. The messages of these name the server. NOT_FOUND: there is no ssh. A
// call that is no stream is made up to
// three times if the server says that this may help, after as long as it says
// (RetryAfter in common/status/error_details.h), and within the timeout.
class Connection {
 public:
  // `address` as ResolveServer() makes it. `timeout` is for each call that is
  // no stream.
  Connection(std::string address, absl::Duration timeout);
  ~Connection();

  absl::StatusOr<v1::SubmitResponse> Submit(const v1::SubmitRequest& request);
  absl::StatusOr<v1::PlanResponse> Plan(const v1::PlanRequest& request);
  absl::StatusOr<v1::ListJobsResponse> ListJobs(
      const v1::ListJobsRequest& request);
  absl::StatusOr<v1::GetJobResponse> GetJob(const v1::GetJobRequest& request);
  absl::StatusOr<v1::ListMetricsResponse> ListMetrics(
      const v1::ListMetricsRequest& request);
  absl::StatusOr<v1::CancelResponse> Cancel(const v1::CancelRequest& request);
  absl::StatusOr<v1::DeleteResponse> Delete(const v1::DeleteRequest& request);
  absl::StatusOr<v1::PauseResponse> Pause(const v1::PauseRequest& request);
  absl::StatusOr<v1::ResumeResponse> Resume(const v1::ResumeRequest& request);
  absl::StatusOr<v1::SetPriorityResponse> SetPriority(
      const v1::SetPriorityRequest& request);
  absl::StatusOr<v1::GetResultsResponse> GetResults(
      const v1::GetResultsRequest& request);
  absl::StatusOr<v1::ListWorkersResponse> ListWorkers(
      const v1::ListWorkersRequest& request);
  absl::StatusOr<v1::DrainResponse> Drain(const v1::DrainRequest& request);
  absl::StatusOr<v1::GetServerInfoResponse> GetServerInfo(
      const v1::GetServerInfoRequest& request);
  absl::StatusOr<v1::ListAuditResponse> ListAudit(
      const v1::ListAuditRequest& request);

  // These hand each message to `on_message` until the server ends the stream,
  // or `on_message` fails and its error is returned, or `interrupt` is
  // triggered: CANCELLED.
  template <typename Response>
  using OnMessage = absl::FunctionRef<absl::Status(const Response&)>;
  absl::Status Watch(const v1::WatchRequest& request, Interrupt* interrupt,
                     OnMessage<v1::WatchResponse> on_message);
  absl::Status StreamLogs(const v1::StreamLogsRequest& request,
                          Interrupt* interrupt,
                          OnMessage<v1::StreamLogsResponse> on_message);
  absl::Status Download(const v1::DownloadRequest& request,
                        Interrupt* interrupt,
                        OnMessage<v1::DownloadResponse> on_message);
  absl::Status Trace(const v1::TraceRequest& request, Interrupt* interrupt,
                     OnMessage<v1::TraceResponse> on_message);

  // After the server was away, waits until it may be there again, for at most
  // `patience`, or until `interrupt` is triggered. Without this a call may fail
  // although the server is back.
  void AwaitServer(absl::Duration patience, const Interrupt* interrupt) const;

  const std::string& address() const { return address_; }
  // For the next call.
  absl::StatusOr<std::shared_ptr<grpc::Channel>> channel() const;

 private:
  // Makes the calls, by their methods of the stub.
  class Rpcs;

  const std::string address_;
  const std::unique_ptr<ServerLink> link_;
  const std::unique_ptr<const Rpcs> rpcs_;
};

}  // namespace hydra

#endif  // HYDRA_CLIENT_CONNECTION_CONNECTION_H_
