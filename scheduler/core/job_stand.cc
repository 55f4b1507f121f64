#include "scheduler/core/job_stand.h"

#include <initializer_list>

#include "scheduler/core/phase_set.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

constexpr unsigned Bit(int value) { return 1u << value; }

constexpr unsigned Bits(std::initializer_list<int> values) {
  unsigned bits = 0;
  for (int value : values) bits |= Bit(value);
  return bits;
}

constexpr unsigned Bits(std::initializer_list<Intent> intents) {
  unsigned bits = 0;
  for (Intent intent : intents) bits |= Bit(static_cast<int>(intent));
  return bits;
}

enum class Out { kNone, kSome, kAny };

struct Row {
  Stand stand;
  unsigned states;
  PhaseSet phases;
  unsigned intents;
  Out outstanding;
};

constexpr unsigned kAnyIntent = ~0u;
constexpr unsigned kFailedOrCancelled =
    Bits({v1::JOB_STATE_FAILED, v1::JOB_STATE_CANCELLED});
constexpr unsigned kGoingOn =
    Bits({v1::JOB_STATE_PENDING, v1::JOB_STATE_RUNNING});

constexpr Row kTable[] = {
    {Stand::kWaits, Bit(v1::JOB_STATE_PENDING), kBeforeSave,
     Bits({Intent::kGoOn}), Out::kNone},
    {Stand::kRuns, Bit(v1::JOB_STATE_RUNNING), kBeforeSave,
     Bits({Intent::kGoOn}), Out::kAny},
    {Stand::kPauses, Bit(v1::JOB_STATE_PENDING), kBeforeSave,
     Bits({Intent::kPause}), Out::kNone},
    {Stand::kPauses, Bit(v1::JOB_STATE_RUNNING), kBeforeSave,
     Bits({Intent::kPause}), Out::kAny},
    {Stand::kGoesBack, kGoingOn, kBeforeSave,
     Bits({Intent::kBeginAgain, Intent::kSaveAndBeginAgain,
           Intent::kBeginAgainAndPause, Intent::kSaveBeginAgainAndPause,
           Intent::kHold}),
     Out::kAny},
    {Stand::kSaves,
     kGoingOn,
     {v1::JOB_PHASE_SAVE},
     Bits({Intent::kGoOn}),
     Out::kNone},
    {Stand::kPaused,
     Bit(v1::JOB_STATE_PAUSED),
     {v1::JOB_PHASE_PREPARE},
     Bits({Intent::kPause, Intent::kHold}),
     Out::kNone},
    {Stand::kEnds, kFailedOrCancelled, kBeforeSave, kAnyIntent, Out::kSome},
    {Stand::kEnds,
     Bit(v1::JOB_STATE_CANCELLED),
     {v1::JOB_PHASE_SAVE},
     kAnyIntent,
     Out::kNone},
    {Stand::kEnded,
     kFailedOrCancelled | Bit(v1::JOB_STATE_COMPLETED),
     {v1::JOB_PHASE_ENDED},
     kAnyIntent,
     Out::kNone},
};

bool Matches(const Row& row, const Job& job) {
  const bool some = !job.outstanding.empty();
  const bool out =
      row.outstanding == Out::kAny || (row.outstanding == Out::kSome) == some;
  return out && (row.states & Bit(job.state())) != 0 &&
         row.phases.Has(job.phase()) &&
         (row.intents & Bit(static_cast<int>(job.intent))) != 0;
}

}  // namespace

std::optional<Stand> StandOf(const Job& job) {
  for (const Row& row : kTable) {
    if (Matches(row, job)) return row.stand;
  }
  return std::nullopt;
}

}  // namespace hydra
