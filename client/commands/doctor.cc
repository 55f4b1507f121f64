#include <string>
#include <vector>

#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "client/commands/commands.h"
#include "client/commands/verb.h"
#include "client/connection/socket_access.h"
#include "client/doctor/diagnose.h"
#include "client/render/table.h"
#include "common/text/printable.h"
#include "common/version/version.h"

namespace hydra {
namespace {

DoctorFacts Look(const CliContext& context, const Invocation& invocation) {
  DoctorFacts facts;
  facts.client_version = kVersion;
  facts.address = ServerAddress(context, invocation);
  if (!facts.address.ok()) return facts;
  absl::string_view path = *facts.address;
  if (absl::ConsumePrefix(&path, "unix:")) {
    facts.socket = LookAtSocket(std::string(path));
  }
  Connection connection(*facts.address, AnswerTimeout(invocation));
  // The first call connects, too.
  facts.info = connection.GetServerInfo(v1::GetServerInfoRequest());
  if (!facts.info.ok()) return facts;
  facts.asked_at = absl::Now();
  facts.info = connection.GetServerInfo(v1::GetServerInfoRequest());
  facts.answered_at = absl::Now();
  facts.workers = connection.ListWorkers(v1::ListWorkersRequest());
  return facts;
}

std::string LevelText(Finding::Level level, bool color) {
  switch (level) {
    case Finding::Level::kOk:
      return Styled("ok  ", Style::kGreen, color);
    case Finding::Level::kWarning:
      return Styled("warn", Style::kYellow, color);
    case Finding::Level::kFailure:
      break;
  }
  return Styled("fail", Style::kRed, color);
}

absl::StatusOr<ExitCode> Doctor(const CliContext& context,
                                const Invocation& invocation) {
  ExitCode code = ExitCode::kOk;
  for (const Finding& finding : Diagnose(Look(context, invocation))) {
    *context.out << LevelText(finding.level, context.out_terminal.color) << "  "
                 << Printable(finding.subject) << ": "
                 << Printable(finding.text);
    if (!finding.remedy.empty()) {
      *context.out << ". Remedy: " << Printable(finding.remedy);
    }
    *context.out << "\n";
    if (finding.level == Finding::Level::kFailure) code = ExitCode::kFailed;
  }
  return code;
}

}  // namespace

void AddDoctor(CLI::App* app, Invocation* invocation) {
  Verb(app, "doctor",
       "Look for what is wrong with the server, or with the way to it, and say "
       "what to do",
       "hydra doctor", invocation, [invocation](const CliContext& context) {
         return Doctor(context, *invocation);
       });
}

}  // namespace hydra
