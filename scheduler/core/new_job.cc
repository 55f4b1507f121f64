#include "scheduler/core/new_job.h"

#include "common/chain/job_shape.h"
#include "scheduler/core/admission.h"
#include "scheduler/core/rounds.h"

namespace hydra {

void Prepare(NewJob& job) {
  const journal::v1::SubmittedJob record = SubmittedOf(job);
  // With room for what the core adds.
  job.record.reserve(record.ByteSizeLong() + 64);
  record.AppendToString(&job.record);
  job.least_demands = LeastDemandsOf(job);
}

journal::v1::SubmittedJob SubmittedOf(const NewJob& job) {
  journal::v1::SubmittedJob record;
  *record.mutable_spec() = job.spec;
  record.mutable_parameters()->Assign(job.parameters.begin(),
                                      job.parameters.end());
  record.set_model_config_json(*job.model_config_json);
  record.set_chat_template(*job.chat_template);
  record.set_output_dir(job.output_dir);
  record.set_base_key(job.base_key);
  record.mutable_warnings()->Assign(job.warnings.begin(), job.warnings.end());
  return record;
}

std::vector<hydra::v1::PoolDemand> LeastDemandsOf(const NewJob& job) {
  JobShape shape = MakeJobShape(job.spec, job.table);
  const auto& cuts = job.spec.partition().cut_points();
  if (cuts.empty()) return {LeastDemandOf(shape)};
  shape.shards =
      ShardsOf({cuts.begin(), cuts.end()}, shape.table->layer_count());
  return DemandsInRounds(shape);
}

}  // namespace hydra
