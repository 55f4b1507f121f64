#ifndef HYDRA_CLIENT_WATCH_WATCH_SINK_H_
#define HYDRA_CLIENT_WATCH_WATCH_SINK_H_

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "client/cli_context.h"
#include "client/watch/watch_model.h"
#include "hydra/v1/hydra.pb.h"

namespace hydra {

// Shows what a watch tells. Not thread-safe.
class WatchSink {
 public:
  virtual ~WatchSink() = default;

  // `model` has taken in `response` already.
  virtual void Update(const v1::WatchResponse& response,
                      const WatchModel& model, absl::Time now) = 0;

  // A message for the user, such as that the server went away.
  virtual void Notice(const std::string& text) = 0;
};

// A display on `context.err` that is drawn in place on a terminal, and lines
// elsewhere. `context` outlives it.
std::unique_ptr<WatchSink> MakeProgressSink(const CliContext& context);

// Each message as a line of JSON on `context.out`. `context` outlives it.
std::unique_ptr<WatchSink> MakeJsonSink(const CliContext& context);

// Nothing but notices, on `context.err`. `context` outlives it.
std::unique_ptr<WatchSink> MakeQuietSink(const CliContext& context);

}  // namespace hydra

#endif  // HYDRA_CLIENT_WATCH_WATCH_SINK_H_
