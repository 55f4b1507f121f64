#ifndef HYDRA_SCHEDULER_CORE_PHASE_SET_H_
#define HYDRA_SCHEDULER_CORE_PHASE_SET_H_

#include <initializer_list>

#include "hydra/v1/status.pb.h"

namespace hydra {

// A set of a job's phases. A pure value, for tables of constants.
class PhaseSet {
 public:
  constexpr PhaseSet(std::initializer_list<hydra::v1::JobPhase> phases) {
    for (hydra::v1::JobPhase phase : phases) bits_ |= 1u << phase;
  }

  constexpr bool Has(hydra::v1::JobPhase phase) const {
    return (bits_ >> phase & 1) != 0;
  }

  friend constexpr PhaseSet operator|(PhaseSet a, PhaseSet b) {
    a.bits_ |= b.bits_;
    return a;
  }

 private:
  unsigned bits_ = 0;
};

// Until its model is saved.
inline constexpr PhaseSet kBeforeSave = {
    hydra::v1::JOB_PHASE_PREPARE,   hydra::v1::JOB_PHASE_PILOT,
    hydra::v1::JOB_PHASE_ADMISSION, hydra::v1::JOB_PHASE_INIT,
    hydra::v1::JOB_PHASE_TRAIN,     hydra::v1::JOB_PHASE_EVALUATE};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_PHASE_SET_H_
