#include "client/render/audit.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "client/commands/commands.h"
#include "client/commands/print_reply.h"
#include "client/commands/since.h"
#include "client/commands/verb.h"
#include "common/status/proto_time.h"

namespace hydra {
namespace {

constexpr int kMostOnAPage = 1000;

struct AuditOptions {
  std::optional<std::string> user;
  std::optional<std::string> since;
  int limit = 100;
  OutputFormat format = OutputFormat::kTable;
};

// As many pages as it takes for `limit` entries; 0: all.
absl::StatusOr<v1::ListAuditResponse> ListPages(v1::ListAuditRequest request,
                                                int limit,
                                                Connection* connection) {
  v1::ListAuditResponse all;
  do {
    const int missing = limit == 0 ? kMostOnAPage : limit - all.entries_size();
    request.set_page_size(std::min(missing, kMostOnAPage));
    absl::StatusOr<v1::ListAuditResponse> page = connection->ListAudit(request);
    if (!page.ok()) return page.status();
    request.set_page_token(page->next_page_token());
    for (v1::AuditEntry& entry : *page->mutable_entries()) {
      *all.add_entries() = std::move(entry);
    }
  } while (!request.page_token().empty() &&
           (limit == 0 || all.entries_size() < limit));
  return all;
}

absl::StatusOr<ExitCode> Audit(const CliContext& context,
                               const Invocation& invocation,
                               const AuditOptions& options) {
  v1::ListAuditRequest request;
  request.set_user(options.user.value_or(""));
  if (options.since.has_value()) {
    const absl::StatusOr<absl::Time> since =
        ParseSince(*options.since, absl::Now(), absl::LocalTimeZone());
    if (!since.ok()) {
      return absl::InvalidArgumentError("--since: " +
                                        std::string(since.status().message()));
    }
    *request.mutable_since() = ToProto(*since);
  }
  const auto connection = Connect(context, invocation);
  if (!connection.ok()) return connection.status();
  const auto response =
      ListPages(std::move(request), options.limit, connection->get());
  if (!response.ok()) return response.status();
  PrintReply(
      context, options.format, *response,
      [&] {
        return RenderAudit(*response, OutWidth(context),
                           context.out_terminal.color, absl::LocalTimeZone());
      },
      [] { return std::vector<std::string>(); });
  return ExitCode::kOk;
}

}  // namespace

void AddAudit(CLI::App* app, Invocation* invocation) {
  const auto options = std::make_shared<AuditOptions>();
  Verb verb(app, "audit",
            "Show who changed what and who was refused, for operators",
            "hydra audit --since 2d --user alice", invocation,
            [invocation, options](const CliContext& context) {
              return Audit(context, *invocation, *options);
            });
  verb.Option("--user", "NAME", &options->user, "Only this user's calls")
      .Option("--since", "TIME", &options->since,
              "Only those since then: 12h, 30d, 2026-11-30, ...")
      .Option("--limit", "N", 0, std::numeric_limits<int>::max(),
              &options->limit, "The newest N (default 100); 0 is all")
      .OutputOption(&options->format, /*has_ids=*/false);
}

}  // namespace hydra
