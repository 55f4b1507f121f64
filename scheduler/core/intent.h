#ifndef HYDRA_SCHEDULER_CORE_INTENT_H_
#define HYDRA_SCHEDULER_CORE_INTENT_H_

#include <optional>

namespace hydra {

// What a job that has not ended shall do once no task of it is outstanding.
// Pure.
enum class Intent {
  kGoOn,
  // Pause at the next end of a step, saved as it is there; or it is paused.
  kPause,
  // Give up where it is, and begin again from its newest checkpoint.
  kBeginAgain,
  // The same, after it has been saved where it is.
  kSaveAndBeginAgain,
  // As those two, and pause then.
  kBeginAgainAndPause,
  kSaveBeginAgainAndPause,
  // Give up where it is and pause, since it could only go on with less than it
  // had, or with something else: somebody has to look. Or it is paused so.
  kHold,
};

// What may happen to it.
enum class IntentEvent {
  // Its user says so.
  kPause,
  // So does its user, before the job has come to rest; and after it has.
  kResume,
  kWakeUp,
  // Its shards do not fit a device, and will be cut anew.
  kCutAnew,
  // The checkpoint that it began from is of no use; or, with kHoldBack, must be
  // looked at.
  kFallBack,
  kHoldBack,
  // It could not be saved.
  kNotSaved,
};

// The intent after the event. None: the event cannot happen to such a job, or
// (of its user's) changes nothing and is refused.
std::optional<Intent> After(Intent intent, IntentEvent event);

// The intent of a job that has gone back to its newest checkpoint.
Intent WentBack(Intent intent);

// Whether the job shall pause, as its user said.
bool Pauses(Intent intent);
// Whether it shall give up where it is.
bool GoesBack(Intent intent);
// Whether it shall be saved before it does.
bool SavesBefore(Intent intent);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_INTENT_H_
