#ifndef HYDRA_SCHEDULER_SERVICE_HYDRA_SERVICE_H_
#define HYDRA_SCHEDULER_SERVICE_HYDRA_SERVICE_H_

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "common/clock/steady_event.h"
#include "hydra/v1/hydra.grpc.pb.h"
#include "scheduler/core/caller.h"
#include "scheduler/core/new_job.h"
#include "scheduler/forecast/forecast.h"
#include "scheduler/journal/group_commit.h"
#include "scheduler/runtime/core_thread.h"
#include "scheduler/runtime/read_model.h"
#include "scheduler/runtime/submission_gate.h"
#include "scheduler/runtime/trace_log.h"
#include "scheduler/runtime/work_thread.h"
#include "scheduler/service/access.h"
#include "scheduler/service/account_names.h"
#include "scheduler/service/job_reader.h"
#include "scheduler/service/pace.h"
#include "scheduler/service/polled_stream.h"
#include "scheduler/service/stream_table.h"
#include "scheduler/storage/audit_log.h"
#include "scheduler/storage/job_history.h"
#include "scheduler/storage/log_store.h"
#include "scheduler/submission/asked_jobs.h"
#include "scheduler/submission/submission.h"

namespace hydra {

// The public API: translates requests into orders to the core, and answers from
// what the core has published. Thread-safe.
//
// Reading never takes time of the core's thread; long streams share a few
// threads; and each user has a bounded number of calls and streams at a time.
class HydraServiceImpl final
    : public v1::HydraService::WithCallbackMethod_Watch<
          v1::HydraService::WithCallbackMethod_StreamLogs<
              v1::HydraService::Service>> {
 public:
  // What is pointed to is borrowed.
  struct Parts {
    CoreThread* core = nullptr;
    const ReadModel* model = nullptr;
    const LogStore* logs = nullptr;
    const TraceLog* trace = nullptr;
    const SubmissionChecker* checker = nullptr;
    const JobHistory* history = nullptr;
    const GroupCommit* journal = nullptr;
    SubmissionGate* gate = nullptr;
    AccessPolicy access;
    // Null: owners are shown by their numbers.
    AccountNames* names = nullptr;
    // Empty: no forecasts are shown.
    ForecastSource forecast;
    // Null: nothing is recorded.
    AuditLog* audit = nullptr;
  };
  // Who made a call, by its context's peer(). Asked once for each call.
  using CallerOf = std::function<Caller(const std::string&)>;

  // `info`: what GetServerInfo says beside the pool's state of the moment.
  HydraServiceImpl(const Parts& parts, CallerOf caller_of,
                   v1::GetServerInfoResponse info);

  // Streams end soon after, and long calls make no more pauses.
  void Stop();

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
  grpc::ServerWriteReactor<v1::WatchResponse>* Watch(
      grpc::CallbackServerContext* context,
      const v1::WatchRequest* request) override;
  grpc::Status GetResults(grpc::ServerContext* context,
                          const v1::GetResultsRequest* request,
                          v1::GetResultsResponse* response) override;
  grpc::ServerWriteReactor<v1::StreamLogsResponse>* StreamLogs(
      grpc::CallbackServerContext* context,
      const v1::StreamLogsRequest* request) override;
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

 private:
  // A method's name, and the id of the job or sweep that it is about, if any.
  struct Call {
    const char* rpc;
    std::string target;
  };
  using Act = std::function<absl::Status(const Caller&)>;
  // Answers a call with what `act` says, if its caller may make one more, and
  // any at all.
  grpc::Status Serve(const grpc::ServerContextBase& context, const Call& call,
                     StreamTable& table, const Act& act);
  // The same for what may concern thousands of jobs, or read files: on a thread
  // of its own, which leaves cores to training and to short calls.
  grpc::Status ServeLong(const grpc::ServerContextBase& context,
                         const Call& call, StreamTable& table, const Act& act);
  template <typename Response>
  void Begin(const Caller& caller, const Call& call,
             PolledStream<Response>* stream);
  // PERMISSION_DENIED: the caller may not use this server.
  absl::Status MayEnter(const Caller& caller) const;
  // Records a call that changed `jobs` jobs.
  void NoteChange(const Caller& caller, const Call& call, int jobs) const;
  // Records it if its answer is a refusal.
  void NoteRefusal(const Caller& caller, const Call& call,
                   const absl::Status& answer) const;
  void Note(const Caller& caller, const Call& call, int jobs,
            absl::StatusCode result) const;
  // The jobs that a submission asks for, with their project's group.
  absl::StatusOr<std::vector<NewJob>> CheckJobs(
      const Caller& caller, const v1::SubmitRequest& request) const;
  // What a Submit or a Plan asks for. The text of a job file takes a hundred
  // times its size to be read, so one is read after another.
  template <typename Request>
  absl::StatusOr<AskedJobs> Asked(const Request& request);
  // All of them, if nothing is wrong with any.
  absl::StatusOr<std::vector<NewJob>> Checked(const Caller& caller,
                                              const AskedJobs& asked) const;
  // As Submit, but queues nothing.
  absl::Status Validate(const Caller& caller, const v1::SubmitRequest& request,
                        v1::SubmitResponse* response);
  absl::Status MakePlan(const Caller& caller, const v1::PlanRequest& request,
                        v1::PlanResponse* response);
  absl::Status Queue(const Caller& caller, const v1::SubmitRequest& request,
                     v1::SubmitResponse* response);
  // Does `act` with the jobs that the request names, some at a time, so that
  // other events of the core come between, and training has time, if the caller
  // has the right to; `changed` takes the names of those that it answers.
  template <typename Request>
  absl::Status ForTarget(
      const Caller& caller, const char* rpc, const Request& request,
      Right right,
      const std::function<std::vector<JobId>(Core&, const std::vector<JobId>&,
                                             absl::Time)>& act,
      google::protobuf::RepeatedPtrField<std::string>* changed);
  absl::Status DeleteJobs(const Caller& caller,
                          const v1::DeleteRequest& request,
                          v1::DeleteResponse* response);
  absl::Status SendOutput(const Caller& caller,
                          const v1::DownloadRequest& request,
                          grpc::ServerWriter<v1::DownloadResponse>* writer);
  absl::Status SendTraceOf(const Caller& caller,
                           const v1::TraceRequest& request,
                           grpc::ServerWriter<v1::TraceResponse>* writer);

  const Parts parts_;
  const CallerOf caller_of_;
  const v1::GetServerInfoResponse info_;
  const JobReader reader_;
  StreamTable calls_;
  StreamTable streams_;
  StreamTable downloads_;
  // What concerns many jobs takes a turn of the core for itself.
  absl::Mutex long_turn_;
  // Whoever reads a job file.
  absl::Mutex text_turn_;
  // And so often.
  Pace long_pace_;
  SteadyEvent stopping_;
  // A user's streams share one, so that whoever has slow ones keeps few others
  // waiting. Ends after the server.
  std::array<WorkThread, 4> stream_threads_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SERVICE_HYDRA_SERVICE_H_
