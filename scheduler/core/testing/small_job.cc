#include "scheduler/core/testing/small_job.h"

#include <string>

#include "scheduler/core/plan.h"

namespace hydra {
namespace {

constexpr char kConfig[] = R"({
  "model_type": "gpt2", "vocab_size": 64, "n_positions": 8, "n_embd": 16,
  "n_layer": 2, "n_head": 2, "n_inner": 64, "activation_function": "gelu_new",
  "embd_pdrop": 0.0, "attn_pdrop": 0.0, "resid_pdrop": 0.0})";

}  // namespace

NewJob SmallJob(int64_t steps) {
  NewJob job;
  job.model_config_json = std::string(kConfig);
  job.spec.set_name("small");
  hydra::v1::TrainSpec& train = *job.spec.mutable_train();
  train.set_max_steps(steps);
  train.set_per_device_train_batch_size(2);
  train.set_gradient_accumulation_steps(2);
  train.set_context_length(8);
  train.set_optim(hydra::v1::OPTIMIZER_ADAMW);
  job.spec.mutable_evaluation()->set_per_device_eval_batch_size(2);
  job.spec.mutable_evaluation()->set_eval_steps(2);
  job.spec.mutable_output()->set_save_model(true);
  job.spec.mutable_checkpoint()->set_every_steps(2);
  job.spec.mutable_checkpoint()->set_keep_last(2);
  job.spec.mutable_checkpoint()->set_keep_best(true);
  job.table = *TableOf(job.spec, *job.model_config_json);
  return job;
}

}  // namespace hydra
