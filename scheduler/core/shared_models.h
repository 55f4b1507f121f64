#ifndef HYDRA_SCHEDULER_CORE_SHARED_MODELS_H_
#define HYDRA_SCHEDULER_CORE_SHARED_MODELS_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/model/model_table.h"
#include "common/shared/shared.h"
#include "common/shared/shared_by_content.h"
#include "hydra/v1/status.pb.h"
#include "scheduler/core/new_job.h"

namespace hydra {

// What jobs of one model, or cut alike, have in common: each there once, so
// that ten thousand jobs of one sweep take little. Not thread-safe.
class SharedModels {
 public:
  Shared<std::string> Text(const std::string& text);
  // `job`'s own table, or an equal one.
  Shared<ModelTable> Table(const NewJob& job);
  // The table that follows from the job's configuration.
  //
  // INVALID_ARGUMENT: as TableOf.
  absl::StatusOr<Shared<ModelTable>> MakeTable(const NewJob& job);
  std::shared_ptr<const hydra::v1::Partition> Partition(
      const hydra::v1::Partition& partition);

 private:
  SharedByContent<std::string> texts_;
  SharedByContent<ModelTable> tables_;
  SharedByContent<hydra::v1::Partition> partitions_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_SHARED_MODELS_H_
