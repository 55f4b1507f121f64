#include <memory>
#include <string>
#include <utility>

#include "client/commands/commands.h"
#include "client/commands/target.h"
#include "client/commands/verb.h"
#include "client/output.h"
#include "client/render/json.h"
#include "client/render/metrics_csv.h"

namespace hydra {
namespace {

constexpr int kCsv = 0;

struct MetricsOptions {
  std::string job;
  // In the order of the option's words.
  int format = kCsv;
};

// Page by page: a job may have millions of steps.
absl::StatusOr<ExitCode> PrintCsv(const CliContext& context,
                                  v1::ListMetricsRequest request,
                                  Connection* connection) {
  bool begun = false;
  do {
    const auto page = connection->ListMetrics(request);
    if (!page.ok()) return page.status();
    if (!std::exchange(begun, true)) *context.out << kMetricsCsvHead;
    *context.out << MetricsCsv(*page);
    const absl::Status written = FlushOutput(context);
    if (!written.ok()) return written;
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> PrintJson(const CliContext& context,
                                   v1::ListMetricsRequest request,
                                   Connection* connection) {
  v1::ListMetricsResponse all;
  do {
    const auto page = connection->ListMetrics(request);
    if (!page.ok()) return page.status();
    request.set_page_token(page->next_page_token());
    all.MergeFrom(*page);
  } while (!request.page_token().empty());
  all.clear_next_page_token();
  *context.out << JsonText(all);
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> Metrics(const CliContext& context,
                                 const Invocation& invocation,
                                 const MetricsOptions& options) {
  if (absl::Status status = WantJob(options.job); !status.ok()) return status;
  const auto connection = Connect(context, invocation);
  if (!connection.ok()) return connection.status();
  v1::ListMetricsRequest request;
  request.set_job_id(options.job);
  return options.format == kCsv
             ? PrintCsv(context, request, connection->get())
             : PrintJson(context, request, connection->get());
}

}  // namespace

void AddMetrics(CLI::App* app, Invocation* invocation) {
  const auto options = std::make_shared<MetricsOptions>();
  Verb verb(app, "metrics",
            "Print what a job measured in each step and each evaluation",
            "hydra metrics j12 > j12.csv", invocation,
            [invocation, options](const CliContext& context) {
              return Metrics(context, *invocation, *options);
            });
  verb.Argument("JOB", &options->job, "The job's id")
      .WordOption("-o,--output", {"csv", "json"}, &options->format,
                  "How to write it");
}

}  // namespace hydra
