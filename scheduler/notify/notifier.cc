#include "scheduler/notify/notifier.h"

#include <utility>

#include "scheduler/notify/notice.h"

namespace hydra {
namespace {

constexpr absl::Duration kLookEvery = absl::Seconds(1);

}  // namespace

Notifier::Notifier(const ReadModel* model, std::vector<JobId> just_changed,
                   NoticeProgram::Options program,
                   std::function<std::string(uid_t)> name_of)
    : name_of_(std::move(name_of)),
      finder_(model, std::move(just_changed)),
      program_(std::move(program)),
      thread_([this] { Loop(); }) {}

Notifier::~Notifier() { Stop(absl::ZeroDuration()); }

void Notifier::Stop(absl::Duration patience) {
  stop_.Notify();
  if (thread_.joinable()) thread_.join();
  program_.Stop(patience);
}

void Notifier::Loop() {
  while (!stop_.WaitFor(kLookEvery)) Look();
  Look();
}

void Notifier::Look() {
  for (Notice& notice : finder_.Find()) {
    if (notice.job.has_owner_user()) {
      notice.job.set_owner(name_of_(notice.job.owner_user()));
    }
    program_.Tell(EnvironmentOf(notice));
  }
}

}  // namespace hydra
