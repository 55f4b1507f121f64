#ifndef HYDRA_SCHEDULER_NOTIFY_NOTIFIER_H_
#define HYDRA_SCHEDULER_NOTIFY_NOTIFIER_H_

#include <sys/types.h>

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "common/clock/steady_event.h"
#include "scheduler/notify/notice_finder.h"
#include "scheduler/notify/notice_program.h"
#include "scheduler/runtime/read_model.h"

namespace hydra {

// Has a program of the admin's told what becomes of jobs, as soon as it is
// recorded, a second later at most. Thread-safe, but one thread stops it.
class Notifier {
 public:
  // `just_changed`: as NoticeFinder's. `name_of`: a user's name, for people.
  // `model` must outlive it.
  Notifier(const ReadModel* model, std::vector<JobId> just_changed,
           NoticeProgram::Options program,
           std::function<std::string(uid_t)> name_of);
  // Stops it.
  ~Notifier();

  // Looks once more, and gives the programs that run then `patience` to end.
  void Stop(absl::Duration patience);

 private:
  void Loop();
  void Look();

  const std::function<std::string(uid_t)> name_of_;
  NoticeFinder finder_;
  NoticeProgram program_;
  SteadyEvent stop_;
  std::thread thread_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_NOTIFY_NOTIFIER_H_
