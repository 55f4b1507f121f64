#include "worker/exec/task_shape.h"

#include "gtest/gtest.h"

namespace hydra {
namespace {

using worker::v1::JobContext;
using worker::v1::Task;

Task OfLayers(int first, int last) {
  Task task;
  task.set_kind(worker::v1::TASK_KIND_FORWARD);
  task.set_first_layer(first);
  task.set_last_layer(last);
  return task;
}

JobContext Job(uint64_t id) {
  JobContext job;
  job.set_job_id(id);
  job.set_model_config_json(R"({"n_layer": 12})");
  job.mutable_spec()->mutable_train()->set_per_device_train_batch_size(8);
  return job;
}

TEST(TaskShapeTest, JobsOfASweepOverRatesAndSeedsHaveTheSame) {
  JobContext other = Job(2);
  hydra::v1::TrainSpec& train = *other.mutable_spec()->mutable_train();
  train.set_learning_rate(1e-3);
  train.set_seed(7);
  train.set_max_steps(100);
  train.set_loss_scale(1024);
  train.set_loss_scale_growth_interval(10);
  EXPECT_EQ(TaskShapeOf(OfLayers(0, 3), Job(1)),
            TaskShapeOf(OfLayers(0, 3), other));
}

TEST(TaskShapeTest, OtherLayersKindsBatchesAndModelsHaveOthers) {
  const TaskShape shape = TaskShapeOf(OfLayers(0, 3), Job(1));
  EXPECT_NE(TaskShapeOf(OfLayers(1, 3), Job(1)), shape);
  EXPECT_NE(TaskShapeOf(OfLayers(0, 4), Job(1)), shape);
  Task backward = OfLayers(0, 3);
  backward.set_kind(worker::v1::TASK_KIND_BACKWARD);
  EXPECT_NE(TaskShapeOf(backward, Job(1)), shape);
  JobContext larger = Job(1);
  larger.mutable_spec()->mutable_train()->set_per_device_train_batch_size(16);
  EXPECT_NE(TaskShapeOf(OfLayers(0, 3), larger), shape);
  JobContext deeper = Job(1);
  deeper.set_model_config_json(R"({"n_layer": 24})");
  EXPECT_NE(TaskShapeOf(OfLayers(0, 3), deeper), shape);
  JobContext frozen = Job(1);
  frozen.mutable_spec()->mutable_model()->add_frozen("*.h.0.*");
  EXPECT_NE(TaskShapeOf(OfLayers(0, 3), frozen), shape);
}

TEST(TaskShapeTest, AdaptersOfAnotherSizeHaveOthers) {
  const auto shape_of = [](const hydra::v1::LoraSpec& lora) {
    JobContext job = Job(1);
    *job.mutable_spec()->mutable_lora() = lora;
    return TaskShapeOf(OfLayers(0, 3), job);
  };
  hydra::v1::LoraSpec lora;
  EXPECT_NE(shape_of(lora), TaskShapeOf(OfLayers(0, 3), Job(1)));
  const TaskShape shape = shape_of(lora);
  lora.set_lora_alpha(32);
  EXPECT_EQ(shape_of(lora), shape);
  lora.set_r(16);
  EXPECT_NE(shape_of(lora), shape);
}

}  // namespace
}  // namespace hydra
