#include "scheduler/core/shared_models.h"

#include <utility>

#include "scheduler/core/plan.h"

namespace hydra {

Shared<std::string> SharedModels::Text(const std::string& text) {
  return Shared<std::string>(texts_.Get(
      text, [&text] { return std::make_shared<const std::string>(text); }));
}

Shared<ModelTable> SharedModels::Table(const NewJob& job) {
  return Shared<ModelTable>(tables_.Get(
      TableContent(job.spec, *job.model_config_json),
      [&] { return std::make_shared<const ModelTable>(*job.table); }));
}

absl::StatusOr<Shared<ModelTable>> SharedModels::MakeTable(const NewJob& job) {
  absl::Status status;
  auto table =
      tables_.Get(TableContent(job.spec, *job.model_config_json),
                  [&]() -> std::shared_ptr<const ModelTable> {
                    absl::StatusOr<ModelTable> made =
                        TableOf(job.spec, *job.model_config_json);
                    status = made.status();
                    if (!made.ok()) return nullptr;
                    return std::make_shared<const ModelTable>(*std::move(made));
                  });
  if (!status.ok()) return status;
  return Shared<ModelTable>(std::move(table));
}

std::shared_ptr<const hydra::v1::Partition> SharedModels::Partition(
    const hydra::v1::Partition& partition) {
  return partitions_.Get(partition.SerializeAsString(), [&partition] {
    return std::make_shared<const hydra::v1::Partition>(partition);
  });
}

}  // namespace hydra
