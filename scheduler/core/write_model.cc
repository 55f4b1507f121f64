#include "scheduler/core/write_model.h"

namespace hydra {

ModelToWrite WriteTo(const std::string& directory, const Job& job) {
  ModelToWrite model;
  model.job = job.id;
  model.directory = directory;
  model.table = *job.shape.table;
  model.config_json = *job.submitted.model_config_json;
  model.tokenizer_dir = job.submitted.spec.model().tokenizer_path();
  return model;
}

}  // namespace hydra
