#include "worker/exec/task_shape.h"

#include <string>

#include "absl/hash/hash.h"
#include "absl/strings/str_join.h"

namespace hydra {
namespace {

// What a sweep may vary without a layer's tensors becoming other ones. All else
// counts, so that a new setting does.
hydra::v1::TrainSpec WithoutWhatNeedsNoMemory(hydra::v1::TrainSpec train) {
  train.clear_max_steps();
  train.clear_num_train_epochs();
  train.clear_learning_rate();
  train.clear_lr_scheduler_type();
  train.clear_warmup_steps();
  train.clear_warmup_ratio();
  train.clear_min_learning_rate();
  train.clear_no_decay_biases_and_norms();
  train.clear_weight_decay();
  train.clear_adam_beta1();
  train.clear_adam_beta2();
  train.clear_adam_epsilon();
  train.clear_seed();
  train.clear_max_nonfinite_steps();
  train.clear_loss_scale();
  train.clear_loss_scale_growth_interval();
  return train;
}

hydra::v1::LoraSpec WithoutWhatNeedsNoMemory(hydra::v1::LoraSpec lora) {
  lora.clear_lora_alpha();
  lora.clear_use_rslora();
  return lora;
}

// Each by itself: a name has no line end.
std::string FrozenText(const hydra::v1::ModelSpec& model) {
  return absl::StrJoin(model.frozen(), "\n");
}

}  // namespace

TaskShape TaskShapeOf(const worker::v1::Task& task,
                      const worker::v1::JobContext& job) {
  const hydra::v1::JobSpec& spec = job.spec();
  return {
      absl::HashOf(job.model_config_json(),
                   WithoutWhatNeedsNoMemory(spec.train()).SerializeAsString(),
                   FrozenText(spec.model()), spec.model().frozen_dtype(),
                   spec.model().trained_dtype(), spec.has_lora(),
                   WithoutWhatNeedsNoMemory(spec.lora()).SerializeAsString(),
                   spec.evaluation().per_device_eval_batch_size(),
                   job.update_place(), job.prefetch_bytes()),
      task.kind(), task.first_layer(), task.last_layer()};
}

}  // namespace hydra
