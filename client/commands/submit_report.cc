#include "client/commands/submit_report.h"

#include <string>
#include <vector>

#include "client/commands/print_reply.h"
#include "client/commands/submit_warnings.h"
#include "client/commands/watch_report.h"
#include "client/render/lists.h"

namespace hydra {
namespace {

// `room`: of the pool, for jobs that were only checked.
void Print(const CliContext& context, const v1::SubmitResponse& response,
           OutputFormat format, const std::string& room) {
  PrintReply(
      context, format, response,
      [&] {
        return RenderSubmitted(response, OutWidth(context),
                               context.out_terminal.color) +
               room;
      },
      [&] {
        std::vector<std::string> ids;
        if (response.sweep_id().empty()) return ids;
        ids = IdsOf(response.jobs());
        ids.insert(ids.begin(), response.sweep_id());
        return ids;
      });
  context.out->flush();
}

}  // namespace

absl::StatusOr<ExitCode> SubmitAndReport(const CliContext& context,
                                         JobFileRequest file,
                                         const SubmitReport& report,
                                         Connection* connection) {
  file.request.set_validate_only(report.validate_only);
  const auto response = Submit(file, connection);
  if (!response.ok()) return response.status();
  std::string room;
  if (report.validate_only && report.format == OutputFormat::kTable) {
    const auto server = connection->GetServerInfo(v1::GetServerInfoRequest());
    // The file is valid all the same.
    if (server.ok()) room = RenderRoom(*response, *server);
  }
  Print(context, *response, report.format, room);
  PrintWarnings(context, response->warnings());
  if (!report.watch) return ExitCode::kOk;
  *context.err << "hydra: Ctrl-C ends watching; the jobs go on\n";
  return WatchSweepAndReport(context, response->sweep_id(), report.format,
                             connection);
}

}  // namespace hydra
