#ifndef HYDRA_SCHEDULER_HTTP_HTTP_API_H_
#define HYDRA_SCHEDULER_HTTP_HTTP_API_H_

#include "hydra/v1/hydra.pb.h"
#include "scheduler/forecast/forecast.h"
#include "scheduler/http/http_request.h"
#include "scheduler/http/http_response.h"
#include "scheduler/journal/group_commit.h"
#include "scheduler/runtime/core_thread.h"
#include "scheduler/runtime/daemon_meter.h"
#include "scheduler/runtime/read_model.h"
#include "scheduler/runtime/trace_log.h"
#include "scheduler/service/access.h"
#include "scheduler/service/account_names.h"
#include "scheduler/service/job_reader.h"
#include "scheduler/storage/audit_log.h"
#include "scheduler/storage/job_history.h"
#include "scheduler/storage/log_store.h"

namespace hydra {

// What is served by HTTP: the page, metrics, and as JSON what the calls of
// hydra.v1.HydraService answer that change nothing. Thread-safe. None of it
// takes time of the core's thread.
//
// Jobs are read through JobReader for whoever asks, so that nobody sees more of
// them here than by a call. Who may not use the server is told so.
class HttpApi {
 public:
  // All of them are borrowed.
  struct Parts {
    CoreThread* core = nullptr;
    const ReadModel* model = nullptr;
    const LogStore* logs = nullptr;
    const TraceLog* trace = nullptr;
    const JobHistory* history = nullptr;
    const GroupCommit* journal = nullptr;
    const DaemonMeter* meter = nullptr;
    AccessPolicy access;
    AccountNames* names = nullptr;
    // Empty: no forecasts are shown.
    ForecastSource forecast;
    // Of who was refused. Null: nobody keeps it.
    AuditLog* audit = nullptr;
  };

  // `info`: what GetServerInfo says beside the pool's state of the moment.
  HttpApi(const Parts& parts, hydra::v1::GetServerInfoResponse info);

  // Everything.
  HttpResponse Answer(const HttpRequest& request) const;
  // Metrics, and of the rest a word on where it is: for listeners that every
  // account of the machine reaches.
  HttpResponse AnswerMetricsAlone(const HttpRequest& request) const;

 private:
  HttpResponse AnswerUnnoted(const HttpRequest& request) const;
  void NoteRefusal(const HttpRequest& request, int status) const;
  // Of users together, if their jobs are not for the caller.
  HttpResponse Metrics(const Caller& caller) const;
  HttpResponse Server() const;
  HttpResponse Workers(const HttpRequest& request) const;
  HttpResponse Jobs(const HttpRequest& request) const;
  HttpResponse Job(const HttpRequest& request, JobId job) const;
  HttpResponse Logs(const HttpRequest& request, JobId job) const;
  HttpResponse Results(const HttpRequest& request, SweepId sweep) const;
  HttpResponse Trace(const HttpRequest& request) const;

  const Parts parts_;
  const hydra::v1::GetServerInfoResponse info_;
  const JobReader reader_;
  const HttpResponse page_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_HTTP_HTTP_API_H_
