#include "client/watch/follow_jobs.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "client/connection/reconnector.h"
#include "client/output.h"

namespace hydra {

absl::StatusOr<WatchModel> FollowJobs(const CliContext& context,
                                      const v1::WatchRequest& request,
                                      Connection* connection, WatchSink* sink) {
  const bool has_target =
      request.target_case() != v1::WatchRequest::TARGET_NOT_SET;
  WatchModel model;
  Reconnector reconnector(
      context.reconnect, context.interrupt,
      [sink](const std::string& text) { sink->Notice(text); });
  while (true) {
    bool first = true;
    const auto show = [&](const v1::WatchResponse& response) {
      reconnector.Connected();
      model.Apply(response, first);
      first = false;
      sink->Update(response, model, absl::Now());
      const auto trouble = model.WhyNoWorkerStarts();
      if (context.needs_workers && trouble.has_value()) {
        return absl::FailedPreconditionError(
            absl::StrCat("no worker can start: ", *trouble));
      }
      return FlushOutput(context);
    };
    const absl::Status status =
        connection->Watch(request, context.interrupt, show);
    if (status.ok() && has_target && !first && model.AllEnded()) return model;
    const absl::Status retry = reconnector.WaitToRetry(status);
    if (!retry.ok()) return retry;
    connection->AwaitServer(context.reconnect.connect_patience,
                            context.interrupt);
  }
}

}  // namespace hydra
