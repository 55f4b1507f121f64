#ifndef HYDRA_SCHEDULER_CORE_NEW_JOB_H_
#define HYDRA_SCHEDULER_CORE_NEW_JOB_H_

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "common/model/model_table.h"
#include "common/shared/shared.h"
#include "hydra/journal/v1/journal.pb.h"
#include "hydra/v1/job.pb.h"
#include "hydra/v1/status.pb.h"

namespace hydra {

// What a submission hands to the core: checked, and with every default filled
// in. A value.
struct NewJob {
  hydra::v1::JobSpec spec;
  // "learning_rate=0.001"
  std::vector<std::string> parameters;
  Shared<std::string> model_config_json;
  // Of conversations, where it is not the tokenizer's own: files may change
  // after the submission. Else empty.
  Shared<std::string> chat_template;
  Shared<ModelTable> table;
  // Below the output root; the job's own folder is made in it.
  std::string output_dir;
  // Jobs with equal keys have the same values in their frozen parameters.
  // Empty: it has no frozen ones.
  std::string base_key;
  // The group that spec.project names. None: it names none. All jobs of a
  // submission have the same.
  std::optional<gid_t> project_group;
  // What of the input is not used, or not as it is written.
  std::vector<std::string> warnings;

  // What follows from all of the above, see Prepare(): its record in jobs.db
  // without what the core adds, and the least that it needs of the pool, see
  // LeastDemandsOf.
  std::string record;
  std::vector<hydra::v1::PoolDemand> least_demands;
};

// Fills in `record` and `least_demands`. The core does it itself for a job that
// has none; whoever submits thousands does it before, on another thread than
// the core's. Nothing else of the job may change after it.
void Prepare(NewJob& job);

// The record in jobs.db, but for the sweep and the time.
journal::v1::SubmittedJob SubmittedOf(const NewJob& job);

// At least one of these is needed of the pool: all of it is known if the cut
// points are given. The first one is that in as few rounds as the job may have.
std::vector<hydra::v1::PoolDemand> LeastDemandsOf(const NewJob& job);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_NEW_JOB_H_
