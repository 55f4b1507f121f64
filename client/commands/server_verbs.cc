#include <memory>
#include <string>
#include <vector>

#include "client/commands/commands.h"
#include "client/commands/print_reply.h"
#include "client/commands/verb.h"
#include "client/render/format.h"
#include "client/render/json.h"
#include "client/render/lists.h"
#include "common/version/version.h"

namespace hydra {
namespace {

absl::StatusOr<ExitCode> Workers(const CliContext& context,
                                 const Invocation& invocation,
                                 OutputFormat format) {
  const auto connection = Connect(context, invocation);
  if (!connection.ok()) return connection.status();
  const auto response = (*connection)->ListWorkers(v1::ListWorkersRequest());
  if (!response.ok()) return response.status();
  PrintReply(
      context, format, *response,
      [&] {
        return RenderWorkers(*response, OutWidth(context),
                             context.out_terminal.color);
      },
      [&] {
        std::vector<std::string> devices;
        for (const v1::WorkerStatus& worker : response->workers()) {
          devices.push_back(worker.device());
        }
        return devices;
      });
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> Info(const CliContext& context,
                              const Invocation& invocation,
                              OutputFormat format) {
  const auto connection = Connect(context, invocation);
  if (!connection.ok()) return connection.status();
  const auto response =
      (*connection)->GetServerInfo(v1::GetServerInfoRequest());
  if (!response.ok()) return response.status();
  if (format == OutputFormat::kJson) {
    *context.out << JsonText(*response);
  } else {
    *context.out << "server          " << (*connection)->address() << "\n"
                 << RenderServerInfo(*response, absl::LocalTimeZone());
  }
  return ExitCode::kOk;
}

absl::StatusOr<ExitCode> Version(const CliContext& context) {
  *context.out << "hydra " << kVersion << "\n";
  return ExitCode::kOk;
}

}  // namespace

void AddServerVerbs(CLI::App* app, Invocation* invocation) {
  const auto workers_format =
      std::make_shared<OutputFormat>(OutputFormat::kTable);
  Verb workers(app, "workers", "Show the server's workers and their devices",
               "hydra workers", invocation,
               [invocation, workers_format](const CliContext& context) {
                 return Workers(context, *invocation, *workers_format);
               });
  workers.OutputOption(workers_format.get());

  const auto info_format = std::make_shared<OutputFormat>(OutputFormat::kTable);
  Verb info(app, "info", "Show the server's version and pool",
            "hydra info -o json", invocation,
            [invocation, info_format](const CliContext& context) {
              return Info(context, *invocation, *info_format);
            });
  info.OutputOption(info_format.get(), /*has_ids=*/false);

  Verb(app, "version", "Show this client's version", "hydra version",
       invocation, Version);
}

}  // namespace hydra
