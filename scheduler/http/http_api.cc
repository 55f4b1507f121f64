#include "scheduler/http/http_api.h"

#include <algorithm>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/process/thread_priority.h"
#include "common/text/printable.h"
#include "scheduler/http/metrics.h"
#include "scheduler/http/metrics_text.h"
#include "scheduler/http/page.h"
#include "scheduler/http/recent_trace.h"
#include "scheduler/service/client_request.h"
#include "scheduler/service/server_info_now.h"
#include "scheduler/service/sweep_results.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

constexpr absl::string_view kApi = "/api/v1/";
// As GetJob.
constexpr int kStepsInDetail = 1000;
constexpr int64_t kUsualLines = 200;
constexpr int64_t kMostLines = 1000;
constexpr size_t kMostTracedTasks = 2000;
// A time in milliseconds since 1970: the year 10000 is behind it.
constexpr int64_t kMostMilliseconds = int64_t{1} << 48;

HttpResponse NothingThere(absl::string_view path) {
  return ErrorResponse(
      absl::NotFoundError(absl::StrCat("nothing is at ", Quoted(path))));
}

// A parameter that is written wrong would look as if it were not there.
absl::Status CheckParameters(const HttpRequest& request,
                             std::initializer_list<absl::string_view> known) {
  for (const auto& [name, value] : request.query) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("no parameter ", Quoted(name), " is known here"));
  }
  return absl::OkStatus();
}

// "RUNNING,PENDING"
absl::Status AddStates(absl::string_view text, v1::ListJobsRequest& request) {
  for (absl::string_view name : absl::StrSplit(text, ',', absl::SkipEmpty())) {
    v1::JobState state = v1::JOB_STATE_UNSPECIFIED;
    if (!v1::JobState_Parse(
            absl::StrCat("JOB_STATE_", absl::AsciiStrToUpper(name)), &state)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "state: expected names such as RUNNING, found ", Quoted(name)));
    }
    request.add_states(state);
  }
  return absl::OkStatus();
}

}  // namespace

HttpApi::HttpApi(const Parts& parts, v1::GetServerInfoResponse info)
    : parts_(parts),
      info_(std::move(info)),
      reader_(parts_.core, parts_.model, parts_.history, parts_.access,
              parts_.names, parts_.forecast),
      page_(PageResponse()) {}

HttpResponse HttpApi::Answer(const HttpRequest& request) const {
  HttpResponse response = AnswerUnnoted(request);
  NoteRefusal(request, response.status);
  return response;
}

// As the calls do.
void HttpApi::NoteRefusal(const HttpRequest& request, int status) const {
  if (parts_.audit == nullptr) return;
  const bool is_hidden = status == 404 && parts_.access.private_jobs() &&
                         absl::StartsWith(request.path, kApi);
  if (status != 403 && !is_hidden) return;
  const Caller& caller = request.caller;
  v1::AuditEntry entry;
  if (caller != Caller()) entry.set_user(caller.user);
  entry.set_name(caller != Caller() ? reader_.NameOf(caller) : "tcp");
  entry.set_pid(caller.pid);
  entry.set_rpc("HTTP");
  entry.set_target(PrintableStart(request.path));
  entry.set_result(absl::StatusCodeToString(
      is_hidden ? absl::StatusCode::kNotFound
                : absl::StatusCode::kPermissionDenied));
  parts_.audit->Add(std::move(entry));
}

HttpResponse HttpApi::AnswerUnnoted(const HttpRequest& request) const {
  // Cores are for training and for short calls first.
  StepBack();
  if (!parts_.access.MayEnter(request.caller)) {
    return ErrorResponse(parts_.access.NotForYou(
        request.caller, reader_.NameOf(request.caller)));
  }
  const absl::string_view path = request.path;
  if (path == "/") return page_;
  if (path == "/metrics") return Metrics(request.caller);
  if (!absl::StartsWith(path, kApi)) return NothingThere(path);
  const std::vector<std::string> parts =
      absl::StrSplit(path.substr(kApi.size()), '/');
  if (parts.size() == 1) {
    if (parts[0] == "server") return Server();
    if (parts[0] == "workers") return Workers(request);
    if (parts[0] == "jobs") return Jobs(request);
    if (parts[0] == "trace") return Trace(request);
  } else if (parts[0] == "jobs" &&
             (parts.size() == 2 || (parts.size() == 3 && parts[2] == "logs"))) {
    const absl::StatusOr<JobId> job = ParseJobId(parts[1]);
    if (!job.ok()) return ErrorResponse(job.status());
    return parts.size() == 2 ? Job(request, *job) : Logs(request, *job);
  } else if (parts[0] == "sweeps" && parts.size() == 3 &&
             parts[2] == "results") {
    const absl::StatusOr<SweepId> sweep = ParseSweepId(parts[1]);
    if (!sweep.ok()) return ErrorResponse(sweep.status());
    return Results(request, *sweep);
  }
  return NothingThere(path);
}

HttpResponse HttpApi::AnswerMetricsAlone(const HttpRequest& request) const {
  if (request.path == "/metrics") return Metrics(request.caller);
  return ErrorResponse(absl::PermissionDeniedError(
      absl::StrCat("every account of this machine can read here, so only "
                   "/metrics is served; the page is at ",
                   info_.http_socket().empty()
                       ? "http.unix_socket, if that is configured"
                       : absl::StrCat("unix:", info_.http_socket()))));
}

HttpResponse HttpApi::Metrics(const Caller& caller) const {
  // They are asked for when a disk hangs, too.
  v1::GetServerInfoResponse server = info_;
  SetPoolNow(*parts_.model, server);
  const MetricsNumbers numbers{
      std::move(server),
      parts_.model->workers().statuses,
      parts_.model->job_meter(),
      parts_.meter->numbers(),
      ReadProcessNumbers(),
      parts_.core->trouble().ok(),
      parts_.journal->health().ok(),
      parts_.access.private_jobs() && !parts_.access.IsOperator(caller)};
  HttpResponse response;
  response.content_type = std::string(MetricsText::kContentType);
  response.body = WriteMetrics(numbers);
  return response;
}

HttpResponse HttpApi::Server() const {
  return JsonResponse(ServerInfoNow(info_, *parts_.model));
}

HttpResponse HttpApi::Workers(const HttpRequest& request) const {
  const ReadModel::Workers workers = parts_.model->workers();
  const std::vector<v1::WorkerStatus> shown =
      reader_.WorkersFor(request.caller, *workers.statuses);
  v1::ListWorkersResponse response;
  response.mutable_workers()->Assign(shown.begin(), shown.end());
  return JsonResponse(response);
}

HttpResponse HttpApi::Jobs(const HttpRequest& request) const {
  v1::ListJobsRequest list;
  list.set_sweep_id(TextParameter(request, "sweep_id"));
  list.set_page_token(TextParameter(request, "page_token"));
  absl::Status status = CheckParameters(
      request, {"sweep_id", "state", "page_size", "page_token"});
  if (status.ok()) status = AddStates(TextParameter(request, "state"), list);
  const absl::StatusOr<int64_t> page_size =
      IntegerParameter(request, "page_size", 0, 0, 1000);
  if (status.ok()) status = page_size.status();
  if (!status.ok()) return ErrorResponse(status);
  list.set_page_size(static_cast<int>(*page_size));
  v1::ListJobsResponse response;
  status = reader_.List(request.caller, list, &response);
  return status.ok() ? JsonResponse(response) : ErrorResponse(status);
}

HttpResponse HttpApi::Job(const HttpRequest& request, JobId job) const {
  absl::Status status = CheckParameters(request, {"steps"});
  const absl::StatusOr<int64_t> steps =
      IntegerParameter(request, "steps", kStepsInDetail, 0, kStepsInDetail);
  if (status.ok()) status = steps.status();
  if (!status.ok()) return ErrorResponse(status);
  absl::StatusOr<v1::JobDetail> detail =
      reader_.Detail(request.caller, job, static_cast<int>(*steps));
  if (!detail.ok()) return ErrorResponse(detail.status());
  v1::GetJobResponse response;
  *response.mutable_job() = *std::move(detail);
  return JsonResponse(response);
}

HttpResponse HttpApi::Logs(const HttpRequest& request, JobId job) const {
  absl::Status status = CheckParameters(request, {"tail"});
  const absl::StatusOr<int64_t> tail =
      IntegerParameter(request, "tail", kUsualLines, 1, kMostLines);
  if (status.ok()) status = tail.status();
  if (status.ok()) status = reader_.Check(request.caller, job, Right::kRead);
  if (!status.ok()) return ErrorResponse(status);
  v1::StreamLogsResponse response;
  LogStore::Cursor cursor;
  cursor.next = parts_.logs->TailStart(job, *tail);
  while (response.lines_size() < *tail) {
    const LogStore::Page page = parts_.logs->Read(job, cursor);
    if (!page.trouble.ok()) return ErrorResponse(page.trouble);
    if (page.lines.empty()) break;
    for (const LogPiece::LinePtr& line : page.lines) {
      if (response.lines_size() == *tail) break;
      *response.add_lines() = *line;
    }
  }
  return JsonResponse(response);
}

HttpResponse HttpApi::Results(const HttpRequest& request, SweepId sweep) const {
  v1::GetResultsResponse response;
  absl::Status status = CheckParameters(request, {});
  if (status.ok()) {
    status = ReadResults(reader_, request.caller, sweep, &response);
  }
  return status.ok() ? JsonResponse(response) : ErrorResponse(status);
}

HttpResponse HttpApi::Trace(const HttpRequest& request) const {
  absl::Status status = CheckParameters(request, {"since_ms"});
  const absl::StatusOr<int64_t> since =
      IntegerParameter(request, "since_ms", 0, 0, kMostMilliseconds);
  if (status.ok()) status = since.status();
  if (!status.ok()) return ErrorResponse(status);
  std::vector<std::string> devices;
  for (const v1::WorkerStatus& worker : *parts_.model->workers().statuses) {
    devices.push_back(worker.device());
  }
  return JsonResponse(
      RecentTrace(*parts_.trace, devices, absl::FromUnixMillis(*since),
                  kMostTracedTasks, [&](JobId job) {
                    return reader_.AnswerTo(request.caller, job, Right::kRead);
                  }));
}

}  // namespace hydra
