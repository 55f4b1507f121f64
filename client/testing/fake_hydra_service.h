#ifndef HYDRA_CLIENT_TESTING_FAKE_HYDRA_SERVICE_H_
#define HYDRA_CLIENT_TESTING_FAKE_HYDRA_SERVICE_H_

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "hydra/v1/hydra.grpc.pb.h"

namespace hydra {

// One opening of a stream: what the server sends, and how it ends it.
template <typename Response>
struct Take {
  std::vector<Response> messages;
  grpc::Status end = grpc::Status::OK;
  // Ends only when the client goes away.
  bool stays_open = false;
};

// A hydrad that answers what a test wrote down and remembers what it was asked.
// The test may change the public fields while no call runs, or under `mu`.
//
// Each stream call plays the next take; when none is left it stays silent until
// the client goes away.
class FakeHydraService final : public v1::HydraService::Service {
 public:
  grpc::Status Submit(grpc::ServerContext* context,
                      const v1::SubmitRequest* request,
                      v1::SubmitResponse* response) override;
  grpc::Status Plan(grpc::ServerContext* context,
                    const v1::PlanRequest* request,
                    v1::PlanResponse* response) override;
  grpc::Status ListJobs(grpc::ServerContext* context,
                        const v1::ListJobsRequest* request,
                        v1::ListJobsResponse* response) override;
  grpc::Status GetJob(grpc::ServerContext* context,
                      const v1::GetJobRequest* request,
                      v1::GetJobResponse* response) override;
  grpc::Status ListMetrics(grpc::ServerContext* context,
                           const v1::ListMetricsRequest* request,
                           v1::ListMetricsResponse* response) override;
  grpc::Status Cancel(grpc::ServerContext* context,
                      const v1::CancelRequest* request,
                      v1::CancelResponse* response) override;
  grpc::Status Delete(grpc::ServerContext* context,
                      const v1::DeleteRequest* request,
                      v1::DeleteResponse* response) override;
  grpc::Status Pause(grpc::ServerContext* context,
                     const v1::PauseRequest* request,
                     v1::PauseResponse* response) override;
  grpc::Status Resume(grpc::ServerContext* context,
                      const v1::ResumeRequest* request,
                      v1::ResumeResponse* response) override;
  grpc::Status SetPriority(grpc::ServerContext* context,
                           const v1::SetPriorityRequest* request,
                           v1::SetPriorityResponse* response) override;
  grpc::Status Watch(grpc::ServerContext* context,
                     const v1::WatchRequest* request,
                     grpc::ServerWriter<v1::WatchResponse>* writer) override;
  grpc::Status GetResults(grpc::ServerContext* context,
                          const v1::GetResultsRequest* request,
                          v1::GetResultsResponse* response) override;
  grpc::Status StreamLogs(
      grpc::ServerContext* context, const v1::StreamLogsRequest* request,
      grpc::ServerWriter<v1::StreamLogsResponse>* writer) override;
  grpc::Status Download(
      grpc::ServerContext* context, const v1::DownloadRequest* request,
      grpc::ServerWriter<v1::DownloadResponse>* writer) override;
  grpc::Status Trace(grpc::ServerContext* context,
                     const v1::TraceRequest* request,
                     grpc::ServerWriter<v1::TraceResponse>* writer) override;
  grpc::Status ListWorkers(grpc::ServerContext* context,
                           const v1::ListWorkersRequest* request,
                           v1::ListWorkersResponse* response) override;
  grpc::Status Drain(grpc::ServerContext* context,
                     const v1::DrainRequest* request,
                     v1::DrainResponse* response) override;
  grpc::Status GetServerInfo(grpc::ServerContext* context,
                             const v1::GetServerInfoRequest* request,
                             v1::GetServerInfoResponse* response) override;
  grpc::Status ListAudit(grpc::ServerContext* context,
                         const v1::ListAuditRequest* request,
                         v1::ListAuditResponse* response) override;

  absl::Mutex mu;
  // What calls that are no streams answer.
  grpc::Status error = grpc::Status::OK;
  // What cancel, delete, pause and resume answer for these ids instead.
  std::map<std::string, grpc::Status> target_errors;
  v1::SubmitResponse submit_response;
  v1::PlanResponse plan_response;
  v1::ListJobsResponse list_response;
  // Later pages, by their tokens.
  std::map<std::string, v1::ListJobsResponse> list_pages;
  // What the first calls of ListJobs answer instead.
  std::deque<grpc::Status> first_list_errors;
  v1::GetJobResponse job_response;
  // Pages of ListMetrics, by their tokens.
  std::map<std::string, v1::ListMetricsResponse> metrics_pages;
  v1::CancelResponse cancel_response;
  v1::DeleteResponse delete_response;
  v1::PauseResponse pause_response;
  v1::ResumeResponse resume_response;
  v1::SetPriorityResponse priority_response;
  v1::GetResultsResponse results_response;
  v1::ListWorkersResponse workers_response;
  v1::DrainResponse drain_response;
  v1::GetServerInfoResponse info_response;
  v1::ListAuditResponse audit_response;
  // Later pages, by their tokens.
  std::map<std::string, v1::ListAuditResponse> audit_pages;
  // What streams answer.
  std::deque<Take<v1::WatchResponse>> watch_takes;
  std::deque<Take<v1::StreamLogsResponse>> log_takes;
  std::deque<Take<v1::DownloadResponse>> download_takes;
  std::deque<Take<v1::TraceResponse>> trace_takes;
  // What was asked.
  std::vector<v1::SubmitRequest> submit_requests;
  std::vector<v1::PlanRequest> plan_requests;
  std::vector<v1::ListJobsRequest> list_requests;
  std::vector<v1::ListAuditRequest> audit_requests;
  std::vector<v1::ListMetricsRequest> metrics_requests;
  std::vector<v1::CancelRequest> cancel_requests;
  std::vector<v1::DeleteRequest> delete_requests;
  std::vector<v1::PauseRequest> pause_requests;
  std::vector<v1::ResumeRequest> resume_requests;
  std::vector<v1::SetPriorityRequest> priority_requests;
  std::vector<v1::DrainRequest> drain_requests;
  std::vector<v1::WatchRequest> watch_requests;
  std::vector<v1::StreamLogsRequest> log_requests;
  std::vector<v1::TraceRequest> trace_requests;
};

}  // namespace hydra

#endif  // HYDRA_CLIENT_TESTING_FAKE_HYDRA_SERVICE_H_
