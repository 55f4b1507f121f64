#ifndef HYDRA_CLIENT_WATCH_PROGRESS_H_
#define HYDRA_CLIENT_WATCH_PROGRESS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "client/render/terminal_size.h"
#include "client/watch/watch_model.h"
#include "hydra/v1/status.pb.h"

namespace hydra {

// One frame of the live display: how many jobs are in which state, the jobs
// (those that run first), the devices. At most `size.height` - 1 lines, none
// wider than `size.width`; jobs that find no room are counted. Pure.
std::vector<std::string> RenderProgress(const WatchModel& model,
                                        TerminalSize size, bool color);

// Progress for logs and pipes: a line when a job changes its phase, ends or
// finishes an evaluation, and now and then a summary. Not thread-safe.
class PlainProgress {
 public:
  // The lines that are due at `now`, each without its newline.
  std::vector<std::string> Update(const WatchModel& model, absl::Time now);

 private:
  std::map<std::string, v1::JobStatus> seen_;
  absl::Time last_line_ = absl::InfinitePast();
};

}  // namespace hydra

#endif  // HYDRA_CLIENT_WATCH_PROGRESS_H_
