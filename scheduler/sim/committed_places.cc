#include "scheduler/sim/committed_places.h"

#include <tuple>
#include <utility>

#include "glog/logging.h"
#include "scheduler/core/records.h"
#include "scheduler/core/resume_place.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

// Rises along a job's chain: what is made after so many steps comes before the
// next one.
auto Rank(const ChainPosition& position) {
  using Phase = ChainPosition::Phase;
  return std::make_tuple(position.phase == Phase::kDone,
                         position.phase != Phase::kInit, position.step,
                         position.phase == Phase::kTrain, position.split,
                         position.first_batch, position.task);
}

ChainPosition NewestCheckpoint(const Job& job) {
  if (job.checkpoints->empty()) return {};
  return FromRecord(job.checkpoints->back().position());
}

}  // namespace

void CommittedPlaces::Note(const JobBook& jobs) {
  // Those that are not there any more were deleted.
  places_.clear();
  for (const auto& [id, job] : jobs.all()) places_[id] = job.position;
}

void CommittedPlaces::CheckOne(JobId id, const ChainPosition& position,
                               const Job& job) const {
  // The daemon may have found the checkpoint for which a pause waited.
  const bool paused = job.state() == v1::JOB_STATE_PAUSED;
  if (job.ended() || (GoesBack(job.intent) && !paused)) return;
  const ChainPosition goes_on_at =
      paused ? NewestCheckpoint(job) : job.position;
  CHECK(Rank(goes_on_at) >= Rank(paused ? ResumePlace(position) : position))
      << "seed " << seed_ << ": " << JobName(id) << " was at step "
      << position.step << " and is at step " << goes_on_at.step;
}

void CommittedPlaces::Check(const JobBook& jobs) {
  const bool pool_lost = std::exchange(pool_lost_, false);
  for (const auto& [id, position] : places_) {
    const Job* job = jobs.Find(id);
    CHECK(job != nullptr) << JobName(id) << " is lost";
    if (!pool_lost) CheckOne(id, position, *job);
  }
  Note(jobs);
}

}  // namespace hydra
