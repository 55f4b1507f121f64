#ifndef HYDRA_SCHEDULER_SERVICE_HYDRA_SERVICE_H_
#define HYDRA_SCHEDULER_SERVICE_HYDRA_SERVICE_H_

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "hydra/v1/hydra.grpc.pb.h"
#include "scheduler/journal/group_commit.h"
#include "scheduler/service/core_thread.h"
#include "scheduler/service/job_history.h"
#include "scheduler/service/log_store.h"
#include "scheduler/service/submission.h"
#include "scheduler/service/submission_gate.h"

namespace hydra {

// The public API: translates requests into questions to the core and answers
// back. Thread-safe. What the constructor is given must outlive this.
class HydraServiceImpl final : public hydra::v1::HydraService::Service {
 public:
  // `info`: what GetServerInfo says beside the pool's state of the moment.
  HydraServiceImpl(CoreThread* core, const LogStore* logs,
                   const SubmissionChecker* checker, const JobHistory* history,
                   const GroupCommit* journal, SubmissionGate* gate,
                   hydra::v1::GetServerInfoResponse info);

  // Streams end soon after.
  void Stop() { stopping_ = true; }

  grpc::Status Submit(grpc::ServerContext* context,
                      const hydra::v1::SubmitRequest* request,
                      hydra::v1::SubmitResponse* response) override;
  grpc::Status ListJobs(grpc::ServerContext* context,
                        const hydra::v1::ListJobsRequest* request,
                        hydra::v1::ListJobsResponse* response) override;
  grpc::Status GetJob(grpc::ServerContext* context,
                      const hydra::v1::GetJobRequest* request,
                      hydra::v1::GetJobResponse* response) override;
  grpc::Status Cancel(grpc::ServerContext* context,
                      const hydra::v1::CancelRequest* request,
                      hydra::v1::CancelResponse* response) override;
  grpc::Status Pause(grpc::ServerContext* context,
                     const hydra::v1::PauseRequest* request,
                     hydra::v1::PauseResponse* response) override;
  grpc::Status Resume(grpc::ServerContext* context,
                      const hydra::v1::ResumeRequest* request,
                      hydra::v1::ResumeResponse* response) override;
  grpc::Status Watch(
      grpc::ServerContext* context, const hydra::v1::WatchRequest* request,
      grpc::ServerWriter<hydra::v1::WatchResponse>* writer) override;
  grpc::Status GetResults(grpc::ServerContext* context,
                          const hydra::v1::GetResultsRequest* request,
                          hydra::v1::GetResultsResponse* response) override;
  grpc::Status StreamLogs(
      grpc::ServerContext* context, const hydra::v1::StreamLogsRequest* request,
      grpc::ServerWriter<hydra::v1::StreamLogsResponse>* writer) override;
  grpc::Status Download(
      grpc::ServerContext* context, const hydra::v1::DownloadRequest* request,
      grpc::ServerWriter<hydra::v1::DownloadResponse>* writer) override;
  grpc::Status ListWorkers(grpc::ServerContext* context,
                           const hydra::v1::ListWorkersRequest* request,
                           hydra::v1::ListWorkersResponse* response) override;
  grpc::Status GetServerInfo(
      grpc::ServerContext* context,
      const hydra::v1::GetServerInfoRequest* request,
      hydra::v1::GetServerInfoResponse* response) override;

 private:
  absl::StatusOr<std::vector<JobId>> Resolve(const std::string& job_id,
                                             const std::string& sweep_id);
  // Does `act` with the jobs that the request names, some at a time, so that
  // other events of the core come between; `changed` takes the names of those
  // that it answers.
  template <typename Request>
  grpc::Status ForTarget(
      const Request& request,
      const std::function<std::vector<JobId>(Core&, const std::vector<JobId>&,
                                             absl::Time)>& act,
      google::protobuf::RepeatedPtrField<std::string>* changed);
  // Of jobs that the core has forgotten meanwhile, too.
  absl::StatusOr<std::vector<hydra::v1::JobStatus>> StatusesOf(
      const std::vector<JobId>& jobs);
  // As Submit, but queues nothing.
  absl::Status Validate(const hydra::v1::SubmitRequest& request,
                        hydra::v1::SubmitResponse* response);
  // What the jobs' submission was warned of, each once. Says nothing of jobs
  // that the core has forgotten.
  void AddWarnings(const std::vector<JobId>& jobs,
                   hydra::v1::SubmitResponse* response);
  // What a Watch has sent.
  struct Watched {
    uint64_t revision = 0;
    // Jobs that the core does not know, sent as jobs.db has them.
    absl::flat_hash_set<JobId> forgotten;
  };
  // Adds what is new to `response`. Whether all of `jobs` have ended.
  absl::StatusOr<bool> AddChanges(const std::vector<JobId>& jobs,
                                  Watched& watched,
                                  hydra::v1::WatchResponse* response);
  absl::StatusOr<hydra::v1::JobDetail> Detail(const std::string& job_id,
                                              int max_steps);

  CoreThread* const core_;
  const LogStore* const logs_;
  const SubmissionChecker* const checker_;
  const JobHistory* const history_;
  const GroupCommit* const journal_;
  SubmissionGate* const gate_;
  const hydra::v1::GetServerInfoResponse info_;
  std::atomic<bool> stopping_ = false;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SERVICE_HYDRA_SERVICE_H_
