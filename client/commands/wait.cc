#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/commands/commands.h"
#include "client/commands/target.h"
#include "client/commands/verb.h"
#include "client/render/format.h"
#include "client/watch/follow_jobs.h"
#include "client/watch/patience.h"
#include "client/watch/watch_sink.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

// The requests that watch these. The first id that is none is an error before
// any is waited for.
absl::StatusOr<std::vector<v1::WatchRequest>> RequestsFor(
    const std::vector<std::string>& targets) {
  std::vector<v1::WatchRequest> requests;
  for (const std::string& target : targets) {
    v1::WatchRequest& request = requests.emplace_back();
    const absl::Status status = SetTarget(target, &request);
    if (!status.ok()) return status;
  }
  return requests;
}

// Names each job that failed or was cancelled.
void TellOfLosses(const CliContext& context, const WatchModel& model) {
  for (const v1::JobStatus& job : model.Jobs()) {
    if (job.state() == v1::JOB_STATE_COMPLETED) continue;
    *context.err << "hydra: " << Printable(job.job_id()) << " "
                 << StateName(job.state());
    if (!job.reason().empty()) *context.err << ": " << Printable(job.reason());
    *context.err << "\n";
  }
}

absl::StatusOr<ExitCode> Wait(const CliContext& context,
                              const Invocation& invocation,
                              const std::vector<std::string>& targets) {
  const auto requests = RequestsFor(targets);
  if (!requests.ok()) return requests.status();
  const auto connection = Connect(context, invocation);
  if (!connection.ok()) return connection.status();
  const absl::Duration time = invocation.timeout_seconds.has_value()
                                  ? absl::Seconds(*invocation.timeout_seconds)
                                  : absl::InfiniteDuration();
  Patience patience(time, context.interrupt);
  CliContext patient = context;
  patient.interrupt = patience.interrupt();
  const std::unique_ptr<WatchSink> sink = MakeQuietSink(context);
  ExitCode code = ExitCode::kOk;
  for (size_t i = 0; i < targets.size(); ++i) {
    const auto model =
        FollowJobs(patient, (*requests)[i], connection->get(), sink.get());
    if (!model.ok() && patience.ended()) {
      return absl::DeadlineExceededError(absl::StrCat(
          targets[i], " has not ended within ", DurationText(time)));
    }
    if (!model.ok()) return model.status();
    TellOfLosses(context, *model);
    if (model->AnyUnsuccessful()) code = ExitCode::kFailed;
  }
  return code;
}

}  // namespace

void AddWait(CLI::App* app, Invocation* invocation) {
  const auto targets = std::make_shared<std::vector<std::string>>();
  Verb verb(app, "wait",
            "Wait, without a word, until jobs, or all jobs of sweeps, have "
            "ended; at most --timeout seconds, if that is given",
            "hydra wait s3 && hydra results s3", invocation,
            [invocation, targets](const CliContext& context) {
              return Wait(context, *invocation, *targets);
            });
  verb.Arguments("JOB|SWEEP", targets.get(), "What to wait for");
}

}  // namespace hydra
