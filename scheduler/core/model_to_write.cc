#include "scheduler/core/model_to_write.h"

#include "common/data/data_format.h"

namespace hydra {

ModelToWrite ModelToWriteOf(const Job& job, const std::string& directory) {
  ModelToWrite model;
  model.job = job.id;
  model.owner = job.owner.known();
  model.directory = directory;
  model.table = *job.shape.table;
  model.config_json = *job.submitted.model_config_json;
  model.tokenizer_dir = job.submitted.spec.model().tokenizer_path();
  if (IsConversations(job.submitted.spec.data().format())) {
    model.chat_template = *job.submitted.chat_template;
    model.chat_template_path = job.submitted.spec.data().chat_template();
  }
  model.model_dir = job.submitted.spec.model().path();
  return model;
}

}  // namespace hydra
