#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/commands/commands.h"
#include "client/commands/print_reply.h"
#include "client/commands/target.h"
#include "client/commands/verb.h"
#include "client/render/format.h"
#include "client/render/lists.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

struct ListOptions {
  // Unset: all.
  std::optional<std::string> sweep;
  // Unset: everybody's.
  std::optional<std::string> user;
  bool mine = false;
  // Places in StateNames(); none: every state.
  std::vector<int> states;
  bool all = false;
  OutputFormat format = OutputFormat::kTable;
};

std::vector<std::string> StateNames() {
  std::vector<std::string> names;
  for (int i = v1::JobState_MIN + 1; i <= v1::JobState_MAX; ++i) {
    names.push_back(StateName(static_cast<v1::JobState>(i)));
  }
  return names;
}

// All pages.
absl::StatusOr<v1::ListJobsResponse> ListAll(v1::ListJobsRequest request,
                                             Connection* connection) {
  v1::ListJobsResponse all;
  do {
    absl::StatusOr<v1::ListJobsResponse> page = connection->ListJobs(request);
    if (!page.ok()) return page.status();
    request.set_page_token(page->next_page_token());
    for (v1::JobStatus& job : *page->mutable_jobs()) {
      *all.add_jobs() = std::move(job);
    }
  } while (!request.page_token().empty());
  return all;
}

// People who name nothing want to know what goes on; a sweep, a state, and
// programs, get all that they ask for.
bool LeavesOutEnded(const ListOptions& options) {
  return options.format == OutputFormat::kTable && !options.all &&
         !options.sweep.has_value() && options.states.empty();
}

// Takes ended jobs out of the list, and returns how many they are.
int RemoveEnded(v1::ListJobsResponse* response) {
  auto& jobs = *response->mutable_jobs();
  const int before = jobs.size();
  jobs.erase(std::remove_if(jobs.begin(), jobs.end(), HasEnded), jobs.end());
  return before - jobs.size();
}

// What would have shown the ended ones, too.
std::string ShowsAll(const ListOptions& options) {
  return absl::StrCat(
      "hydra list --all", options.mine ? " --mine" : "",
      options.user.has_value() ? " --user " + Printable(*options.user) : "");
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
  request.set_owner(options.mine ? "me" : options.user.value_or(""));
  const auto connection = Connect(context, invocation);
  if (!connection.ok()) return connection.status();
  for (const int place : options.states) {
    request.add_states(static_cast<v1::JobState>(v1::JobState_MIN + 1 + place));
  }
  auto response = ListAll(std::move(request), connection->get());
  if (!response.ok()) return response.status();
  const int ended = LeavesOutEnded(options) ? RemoveEnded(&*response) : 0;
  PrintReply(
      context, options.format, *response,
      [&] {
        std::string text =
            RenderJobs(*response, OutWidth(context), context.out_terminal.color,
                       absl::LocalTimeZone());
        if (ended > 0) {
          absl::StrAppend(&text, ended, " ended: ", ShowsAll(options), "\n");
        }
        return text;
      },
      [&] { return IdsOf(response->jobs()); });
  return ExitCode::kOk;
}

}  // namespace

void AddList(CLI::App* app, Invocation* invocation) {
  const auto options = std::make_shared<ListOptions>();
  Verb verb(app, "list",
            "List the jobs that have not ended, the newest sweep first",
            "hydra list --state running --state pending", invocation,
            [invocation, options](const CliContext& context) {
              return List(context, *invocation, *options);
            });
  verb.Flag("--all", &options->all, "Also jobs that have ended")
      .Option("--sweep", "SWEEP", &options->sweep,
              "Only this sweep's, ended ones too")
      .Option("--user", "NAME", &options->user,
              "Only this user's, by name or number")
      .FlagWithout("--user", "--mine", &options->mine, "Only your own")
      .WordsOption("--state", StateNames(), &options->states,
                   "Only jobs in this state, also an ended one; may be given "
                   "more than once")
      .OutputOption(&options->format);
}

}  // namespace hydra
