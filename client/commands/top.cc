#include "client/render/top.h"

#include <unistd.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "client/commands/commands.h"
#include "client/commands/verb.h"
#include "client/connection/interrupt.h"
#include "client/output.h"
#include "client/quit_key.h"

namespace hydra {
namespace {

constexpr absl::Duration kEvery = absl::Seconds(1);

// Another screen without a cursor, and the one before; the upper left corner;
// what is right of the cursor, or below it too, becomes blank.
constexpr char kEnter[] = "\033[?1049h\033[?25l";
constexpr char kLeave[] = "\033[?25h\033[?1049l";
constexpr char kHome[] = "\033[H";
constexpr char kClearLine[] = "\033[K";
constexpr char kClearBelow[] = "\033[J";

// The screen of a terminal, as long as it lives.
class Screen {
 public:
  explicit Screen(std::ostream* out) : out_(*out) { out_ << kEnter; }
  ~Screen() { out_ << kLeave << std::flush; }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  void Show(const std::vector<std::string>& lines) {
    out_ << kHome;
    // Behind a line that fills its width it would take the last character.
    for (const std::string& line : lines) out_ << kClearLine << line << "\n";
    out_ << kClearBelow << std::flush;
  }

 private:
  std::ostream& out_;
};

absl::StatusOr<v1::ListJobsResponse> OpenJobs(Connection* connection) {
  v1::ListJobsRequest request;
  for (const v1::JobState state :
       {v1::JOB_STATE_PENDING, v1::JOB_STATE_RUNNING, v1::JOB_STATE_PAUSED}) {
    request.add_states(state);
  }
  v1::ListJobsResponse all;
  do {
    absl::StatusOr<v1::ListJobsResponse> page = connection->ListJobs(request);
    if (!page.ok()) return page.status();
    request.set_page_token(page->next_page_token());
    all.mutable_jobs()->MergeFrom(page->jobs());
  } while (!request.page_token().empty());
  return all;
}

absl::StatusOr<std::vector<std::string>> Look(const CliContext& context,
                                              TerminalSize size,
                                              Connection* connection) {
  const auto workers = connection->ListWorkers(v1::ListWorkersRequest());
  if (!workers.ok()) return workers.status();
  const auto jobs = OpenJobs(connection);
  if (!jobs.ok()) return jobs.status();
  return RenderTop(*workers, *jobs, size, context.out_terminal.color);
}

absl::Status ShowOnce(const CliContext& context, Connection* connection) {
  const auto lines = Look(context, {OutWidth(context), 0}, connection);
  if (!lines.ok()) return lines.status();
  for (const std::string& line : *lines) *context.out << line << "\n";
  return absl::OkStatus();
}

// Until the user has enough.
absl::Status ShowOnAndOn(const CliContext& context, Connection* connection) {
  Interrupt enough;
  const Interrupt::Scope forwards(context.interrupt,
                                  [&enough] { enough.Trigger(); });
  Screen screen(context.out);
  const QuitKey quits(STDIN_FILENO, [&enough] { enough.Trigger(); });
  do {
    const auto lines = Look(context, context.out_terminal.size(), connection);
    if (!lines.ok()) return lines.status();
    screen.Show(*lines);
    const absl::Status written = FlushOutput(context);
    if (!written.ok()) return written;
  } while (!enough.WaitFor(kEvery));
  return absl::OkStatus();
}

absl::StatusOr<ExitCode> Top(const CliContext& context,
                             const Invocation& invocation, bool once) {
  const auto connection = Connect(context, invocation);
  if (!connection.ok()) return connection.status();
  const bool live = context.out_terminal.in_place && !once;
  const absl::Status status = live ? ShowOnAndOn(context, connection->get())
                                   : ShowOnce(context, connection->get());
  if (!status.ok()) return status;
  return ExitCode::kOk;
}

}  // namespace

void AddTop(CLI::App* app, Invocation* invocation) {
  const auto once = std::make_shared<bool>(false);
  Verb verb(app, "top",
            "Show what the server does now, anew every second until q or "
            "Ctrl-C: its devices, the users, and the jobs that run; once, "
            "where there is no terminal",
            "hydra top", invocation,
            [invocation, once](const CliContext& context) {
              return Top(context, *invocation, *once);
            });
  verb.Flag("--once", once.get(), "Show it once");
}

}  // namespace hydra
