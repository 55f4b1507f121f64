#include "client/testing/fake_hydra_service.h"

#include <utility>

#include "absl/time/clock.h"

namespace hydra {
namespace {

template <typename Response>
grpc::Status Play(grpc::ServerContext* context, absl::Mutex* mu,
                  std::deque<Take<Response>>* takes,
                  grpc::ServerWriter<Response>* writer) {
  Take<Response> take;
  take.stays_open = true;
  {
    absl::MutexLock lock(mu);
    if (!takes->empty()) {
      take = std::move(takes->front());
      takes->pop_front();
    }
  }
  for (const Response& message : take.messages) {
    if (!writer->Write(message)) return grpc::Status::CANCELLED;
  }
  // The synchronous API has no other way to learn that the client left.
  while (take.stays_open && !context->IsCancelled()) {
    absl::SleepFor(absl::Milliseconds(2));
  }
  return take.end;
}

template <typename Request>
const std::string& TargetOf(const Request& request) {
  return request.sweep_id().empty() ? request.job_id() : request.sweep_id();
}

}  // namespace

grpc::Status FakeHydraService::Submit(grpc::ServerContext* context,
                                      const v1::SubmitRequest* request,
                                      v1::SubmitResponse* response) {
  absl::MutexLock lock(&mu);
  submit_requests.push_back(*request);
  *response = submit_response;
  return error;
}

grpc::Status FakeHydraService::Plan(grpc::ServerContext* context,
                                    const v1::PlanRequest* request,
                                    v1::PlanResponse* response) {
  absl::MutexLock lock(&mu);
  plan_requests.push_back(*request);
  *response = plan_response;
  return error;
}

grpc::Status FakeHydraService::ListJobs(grpc::ServerContext* context,
                                        const v1::ListJobsRequest* request,
                                        v1::ListJobsResponse* response) {
  absl::MutexLock lock(&mu);
  list_requests.push_back(*request);
  if (!first_list_errors.empty()) {
    const grpc::Status first = first_list_errors.front();
    first_list_errors.pop_front();
    return first;
  }
  *response = request->page_token().empty() ? list_response
                                            : list_pages[request->page_token()];
  return error;
}

grpc::Status FakeHydraService::GetJob(grpc::ServerContext* context,
                                      const v1::GetJobRequest* request,
                                      v1::GetJobResponse* response) {
  absl::MutexLock lock(&mu);
  *response = job_response;
  return error;
}

grpc::Status FakeHydraService::ListMetrics(
    grpc::ServerContext* context, const v1::ListMetricsRequest* request,
    v1::ListMetricsResponse* response) {
  absl::MutexLock lock(&mu);
  metrics_requests.push_back(*request);
  *response = metrics_pages[request->page_token()];
  return error;
}

grpc::Status FakeHydraService::Cancel(grpc::ServerContext* context,
                                      const v1::CancelRequest* request,
                                      v1::CancelResponse* response) {
  absl::MutexLock lock(&mu);
  cancel_requests.push_back(*request);
  const auto of_target = target_errors.find(TargetOf(*request));
  if (of_target != target_errors.end()) return of_target->second;
  *response = cancel_response;
  return error;
}

grpc::Status FakeHydraService::Delete(grpc::ServerContext* context,
                                      const v1::DeleteRequest* request,
                                      v1::DeleteResponse* response) {
  absl::MutexLock lock(&mu);
  delete_requests.push_back(*request);
  const auto of_target = target_errors.find(TargetOf(*request));
  if (of_target != target_errors.end()) return of_target->second;
  *response = delete_response;
  return error;
}

grpc::Status FakeHydraService::Pause(grpc::ServerContext* context,
                                     const v1::PauseRequest* request,
                                     v1::PauseResponse* response) {
  absl::MutexLock lock(&mu);
  pause_requests.push_back(*request);
  const auto of_target = target_errors.find(TargetOf(*request));
  if (of_target != target_errors.end()) return of_target->second;
  *response = pause_response;
  return error;
}

grpc::Status FakeHydraService::Resume(grpc::ServerContext* context,
                                      const v1::ResumeRequest* request,
                                      v1::ResumeResponse* response) {
  absl::MutexLock lock(&mu);
  resume_requests.push_back(*request);
  const auto of_target = target_errors.find(TargetOf(*request));
  if (of_target != target_errors.end()) return of_target->second;
  *response = resume_response;
  return error;
}

grpc::Status FakeHydraService::SetPriority(
    grpc::ServerContext* context, const v1::SetPriorityRequest* request,
    v1::SetPriorityResponse* response) {
  absl::MutexLock lock(&mu);
  priority_requests.push_back(*request);
  const auto of_target = target_errors.find(TargetOf(*request));
  if (of_target != target_errors.end()) return of_target->second;
  *response = priority_response;
  return error;
}

grpc::Status FakeHydraService::Watch(
    grpc::ServerContext* context, const v1::WatchRequest* request,
    grpc::ServerWriter<v1::WatchResponse>* writer) {
  {
    absl::MutexLock lock(&mu);
    watch_requests.push_back(*request);
  }
  return Play(context, &mu, &watch_takes, writer);
}

grpc::Status FakeHydraService::GetResults(grpc::ServerContext* context,
                                          const v1::GetResultsRequest* request,
                                          v1::GetResultsResponse* response) {
  absl::MutexLock lock(&mu);
  *response = results_response;
  return error;
}

grpc::Status FakeHydraService::StreamLogs(
    grpc::ServerContext* context, const v1::StreamLogsRequest* request,
    grpc::ServerWriter<v1::StreamLogsResponse>* writer) {
  {
    absl::MutexLock lock(&mu);
    log_requests.push_back(*request);
  }
  return Play(context, &mu, &log_takes, writer);
}

grpc::Status FakeHydraService::Download(
    grpc::ServerContext* context, const v1::DownloadRequest* request,
    grpc::ServerWriter<v1::DownloadResponse>* writer) {
  return Play(context, &mu, &download_takes, writer);
}

grpc::Status FakeHydraService::Trace(
    grpc::ServerContext* context, const v1::TraceRequest* request,
    grpc::ServerWriter<v1::TraceResponse>* writer) {
  {
    absl::MutexLock lock(&mu);
    trace_requests.push_back(*request);
  }
  return Play(context, &mu, &trace_takes, writer);
}

grpc::Status FakeHydraService::ListWorkers(
    grpc::ServerContext* context, const v1::ListWorkersRequest* request,
    v1::ListWorkersResponse* response) {
  absl::MutexLock lock(&mu);
  *response = workers_response;
  return error;
}

grpc::Status FakeHydraService::Drain(grpc::ServerContext* context,
                                     const v1::DrainRequest* request,
                                     v1::DrainResponse* response) {
  absl::MutexLock lock(&mu);
  drain_requests.push_back(*request);
  *response = drain_response;
  return error;
}

grpc::Status FakeHydraService::GetServerInfo(
    grpc::ServerContext* context, const v1::GetServerInfoRequest* request,
    v1::GetServerInfoResponse* response) {
  absl::MutexLock lock(&mu);
  *response = info_response;
  return error;
}

grpc::Status FakeHydraService::ListAudit(grpc::ServerContext* context,
                                         const v1::ListAuditRequest* request,
                                         v1::ListAuditResponse* response) {
  absl::MutexLock lock(&mu);
  audit_requests.push_back(*request);
  *response = request->page_token().empty()
                  ? audit_response
                  : audit_pages[request->page_token()];
  return error;
}

}  // namespace hydra
