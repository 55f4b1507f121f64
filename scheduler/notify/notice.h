#ifndef HYDRA_SCHEDULER_NOTIFY_NOTICE_H_
#define HYDRA_SCHEDULER_NOTIFY_NOTICE_H_

#include <string>
#include <vector>

#include "hydra/v1/status.pb.h"

namespace hydra {

// Something that the people of a job would like to hear of: that it has ended,
// that the server has paused it, or that the last job of its sweep has ended.
struct Notice {
  enum class Event { kCompleted, kFailed, kCancelled, kPaused, kSweepEnded };

  Event event = Event::kCompleted;
  // The job; of a sweep, the one that ended last.
  hydra::v1::JobStatus job;
  // Of kSweepEnded: how its jobs ended.
  int completed = 0;
  int failed = 0;
  int cancelled = 0;
};

// "completed", "failed", "cancelled", "paused" or "sweep_ended".
const char* NameOf(Notice::Event event);

// What a program is told of it, each "HYDRA_NAME=value"; docs/daemon.md has
// them all. What is not known is not there. What users wrote has its control
// characters escaped, and a length that any system takes. Pure.
std::vector<std::string> EnvironmentOf(const Notice& notice);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_NOTIFY_NOTICE_H_
