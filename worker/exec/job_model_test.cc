#include "worker/exec/job_model.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "common/model/gpt2_table.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using worker::v1::JobContext;

constexpr int64_t kPlenty = int64_t{1} << 20;

JobContext Job(uint64_t id, int layers = 2) {
  JobContext job;
  job.set_job_id(id);
  job.set_model_config_json(absl::StrCat(
      R"({"model_type": "gpt2", "vocab_size": 40, "n_positions": 8,
          "n_embd": 4, "n_head": 2, "n_layer": )",
      layers, "}"));
  job.mutable_spec()->mutable_train()->set_optim(hydra::v1::OPTIMIZER_ADAM);
  return job;
}

TEST(JobModelsTest, JobsOfOneModelShareItWhateverElseTheyDo) {
  JobModels models(kPlenty);
  const JobContext one = Job(1);
  JobContext two = Job(2);
  two.mutable_spec()->mutable_train()->set_learning_rate(0.5);
  two.mutable_spec()->mutable_train()->set_optim(hydra::v1::OPTIMIZER_SGD);
  const auto first = models.For(one);
  const auto second = models.For(two);
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(&first->table, &second->table);
  EXPECT_EQ(&first->layers, &second->layers);
  EXPECT_EQ(first->moment_count(), 2);
  EXPECT_EQ(second->moment_count(), 0);
  EXPECT_EQ(second->HyperparametersAt(/*step=*/0).learning_rate, 0.5);
}

TEST(JobModelsTest, AnotherDropoutOrShapeIsAnotherModel) {
  JobModels models(kPlenty);
  JobContext dropping = Job(1);
  dropping.mutable_spec()->mutable_train()->set_dropout(0.25);
  const auto model = models.For(Job(1));
  const auto dropped = models.For(dropping);
  const auto longer = models.For(Job(1, /*layers=*/3));
  EXPECT_EQ(model->table.layers[1].attributes.at(gpt2::kAttentionDropout), 0);
  EXPECT_EQ(dropped->table.layers[1].attributes.at(gpt2::kAttentionDropout),
            0.25);
  EXPECT_EQ(longer->table.layer_count(), model->table.layer_count() + 1);
}

TEST(JobModelsTest, WhatHasNoRoomIsBuiltAnewAndStaysForItsHolder) {
  JobModels models(/*capacity_bytes=*/1);
  const auto first = models.For(Job(1));
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(&models.For(Job(2))->table, &first->table) << "the newest stays";
  ASSERT_TRUE(models.For(Job(3, /*layers=*/3)).ok());
  EXPECT_NE(&models.For(Job(1))->table, &first->table);
  EXPECT_EQ(first->table.layer_count(), 4);
}

TEST(JobModelsTest, RefusesWhatIsNoModel) {
  JobContext job;
  job.set_model_config_json("{");
  EXPECT_EQ(JobModels(kPlenty).For(job).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace hydra
