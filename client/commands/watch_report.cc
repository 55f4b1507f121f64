#include "client/commands/watch_report.h"

#include <memory>
#include <string>

#include "client/commands/print_reply.h"
#include "client/render/device_time.h"
#include "client/render/leaderboard.h"
#include "client/watch/follow_jobs.h"
#include "client/watch/watch_sink.h"

namespace hydra {

absl::StatusOr<ExitCode> WatchSweepAndReport(const CliContext& context,
                                             const std::string& sweep_id,
                                             OutputFormat format,
                                             Connection* connection) {
  v1::WatchRequest request;
  request.set_sweep_id(sweep_id);
  const std::unique_ptr<WatchSink> sink = MakeProgressSink(context);
  const absl::StatusOr<WatchModel> model =
      FollowJobs(context, request, connection, sink.get());
  if (!model.ok()) return model.status();
  if (format != OutputFormat::kId) {
    const absl::Status status =
        ReportResults(context, sweep_id, format, connection);
    if (!status.ok()) return status;
  }
  return model->AnyUnsuccessful() ? ExitCode::kFailed : ExitCode::kOk;
}

absl::Status ReportResults(const CliContext& context,
                           const std::string& sweep_id, OutputFormat format,
                           Connection* connection) {
  v1::GetResultsRequest request;
  request.set_sweep_id(sweep_id);
  const auto results = connection->GetResults(request);
  if (!results.ok()) return results.status();
  PrintReply(
      context, format, *results,
      [&] {
        const std::string time = DeviceTimeText(results->totals());
        const std::string energy = EnergyText(results->totals());
        return RenderLeaderboard(results->jobs(), OutWidth(context),
                                 context.out_terminal.color) +
               (time.empty() ? "" : "device time " + time + "\n") +
               (energy.empty() ? "" : "energy " + energy + "\n");
      },
      [&] { return IdsOf(results->jobs()); });
  return absl::OkStatus();
}

}  // namespace hydra
