#ifndef HYDRA_SCHEDULER_CORE_TESTING_RESULTS_FIXTURE_H_
#define HYDRA_SCHEDULER_CORE_TESTING_RESULTS_FIXTURE_H_

#include "scheduler/core/checkpoints.h"
#include "scheduler/core/claims.h"
#include "scheduler/core/job_archive.h"
#include "scheduler/core/job_life.h"
#include "scheduler/core/job_start.h"
#include "scheduler/core/shared_bases.h"
#include "scheduler/core/shared_models.h"
#include "scheduler/core/task_results.h"
#include "scheduler/core/testing/hands_fixture.h"

namespace hydra {

// Hands, and what becomes of the tasks in them.
class ResultsFixture : public HandsFixture {
 protected:
  SharedModels models_;
  Quotas quotas_{{}};
  Claims claims_{&options_, &queue_};
  SharedBases bases_{{&queue_, &blocks_, &journal_}};
  JobArchive archive_{&options_, &book_, &journal_};
  Checkpoints checkpoints_{&options_, &book_,    &queue_,
                           &blocks_,  &journal_, &actions_};
  JobStart start_{{&book_, &queue_, &blocks_, &admission_, &models_, &claims_,
                   &bases_, &roster_, &journal_, &quotas_}};
  JobLife life_{{&options_, &book_, &queue_, &blocks_, &admission_, &claims_,
                 &bases_, &archive_, &checkpoints_, &start_, &journal_,
                 &actions_, &quotas_}};
  TaskResults results_{{&options_, &book_, &roster_, &hands_, &claims_, &bases_,
                        &checkpoints_, &start_, &life_, &journal_, &actions_}};
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_TESTING_RESULTS_FIXTURE_H_
