#include "scheduler/core/model_to_write.h"

namespace hydra {

ModelToWrite ModelToWriteOf(const Job& job, const std::string& directory) {
  ModelToWrite model;
  model.job = job.id;
  model.directory = directory;
  model.table = *job.shape.table;
  model.config_json = *job.submitted.model_config_json;
  model.tokenizer_dir = job.submitted.spec.model().tokenizer_path();
  model.model_dir = job.submitted.spec.model().path();
  return model;
}

}  // namespace hydra
