#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "client/commands/commands.h"
#include "client/commands/print_reply.h"
#include "client/commands/target.h"
#include "client/render/format.h"
#include "client/render/lists.h"

namespace hydra {
namespace {

struct ListOptions {
  // Unset: all.
  std::optional<std::string> sweep;
  std::vector<v1::JobState> states;
  OutputFormat format = OutputFormat::kTable;
};

std::vector<std::string> StateNames() {
  std::vector<std::string> names;
  for (int i = v1::JobState_MIN + 1; i <= v1::JobState_MAX; ++i) {
    names.push_back(StateName(static_cast<v1::JobState>(i)));
  }
  return names;
}

v1::JobState StateOf(const std::string& name) {
  const std::vector<std::string> names = StateNames();
  const auto found = absl::c_find(names, absl::AsciiStrToLower(name));
  return static_cast<v1::JobState>(found - names.begin() + 1);
}

// All pages.
absl::StatusOr<v1::ListJobsResponse> ListAll(v1::ListJobsRequest request,
                                             Connection* connection) {
  v1::ListJobsResponse all;
  do {
    absl::StatusOr<v1::ListJobsResponse> page =
        connection->Call(&Connection::Stub::ListJobs, request);
    if (!page.ok()) return page.status();
    request.set_page_token(page->next_page_token());
    for (v1::JobStatus& job : *page->mutable_jobs()) {
      *all.add_jobs() = std::move(job);
    }
  } while (!request.page_token().empty());
  return all;
}

absl::StatusOr<ExitCode> List(const CliContext& context,
                              const Invocation& invocation,
                              const ListOptions& options) {
  v1::ListJobsRequest request;
  if (options.sweep.has_value()) {
    const absl::Status status = WantSweep(*options.sweep);
    if (!status.ok()) return status;
    request.set_sweep_id(*options.sweep);
  }
  const auto connection = Connect(context, invocation);
  if (!connection.ok()) return connection.status();
  for (const v1::JobState state : options.states) request.add_states(state);
  const auto response = ListAll(std::move(request), connection->get());
  if (!response.ok()) return response.status();
  PrintReply(
      context, options.format, *response,
      [&] {
        return RenderJobs(*response, OutWidth(context),
                          context.out_terminal.color, absl::LocalTimeZone());
      },
      [&] { return IdsOf(response->jobs()); });
  return ExitCode::kOk;
}

}  // namespace

void AddList(CLI::App* app, Invocation* invocation) {
  const auto options = std::make_shared<ListOptions>();
  CLI::App* verb =
      AddVerb(app, "list", "List jobs, the newest sweep first",
              "hydra list --state running --state pending", invocation,
              [invocation, options](const CliContext& context) {
                return List(context, *invocation, *options);
              });
  verb->add_option("--sweep", options->sweep, "Only this sweep's")
      ->option_text("SWEEP");
  verb->add_option_function<std::vector<std::string>>(
          "--state",
          [options](const std::vector<std::string>& names) {
            for (const std::string& name : names) {
              options->states.push_back(StateOf(name));
            }
          },
          "Only jobs in this state; may be given more than once")
      ->check(OneOf(StateNames()))
      ->option_text(absl::StrJoin(StateNames(), "|"));
  AddOutputOption(verb, &options->format);
}

}  // namespace hydra
