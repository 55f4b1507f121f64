#ifndef HYDRA_CLIENT_WATCH_FOLLOW_JOBS_H_
#define HYDRA_CLIENT_WATCH_FOLLOW_JOBS_H_

#include "absl/status/statusor.h"
#include "client/cli_context.h"
#include "client/connection/connection.h"
#include "client/watch/watch_model.h"
#include "client/watch/watch_sink.h"
#include "hydra/v1/hydra.pb.h"

namespace hydra {

// Watches until every job that `request` names has ended, and returns their
// last states. Without a target it never ends by itself. Opens the stream again
// when the server was away.
//
// CANCELLED: the user interrupted it.
// UNAVAILABLE: the server was away for too long.
// FAILED_PRECONDITION: no worker can start, and `context` says that nobody
//   mends that.
absl::StatusOr<WatchModel> FollowJobs(const CliContext& context,
                                      const v1::WatchRequest& request,
                                      Connection* connection, WatchSink* sink);

}  // namespace hydra

#endif  // HYDRA_CLIENT_WATCH_FOLLOW_JOBS_H_
