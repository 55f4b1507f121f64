// A ResNet on tensors: the same bits however it is cut, with all that its batch
// norms remember, and what is said of what it cannot do.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/file/scratch_directory.h"
#include "common/safetensors/reader.h"
#include "common/safetensors/testing/tensor_files.h"
#include "tests/e2e/cluster.h"
#include "tests/e2e/every_partition.h"
#include "tests/e2e/noisy_images.h"
#include "tests/e2e/outcome.h"
#include "tests/e2e/small_job.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

using safetensors::Dtype;
using ::testing::HasSubstr;

// Of the fixture's model.
constexpr int64_t kSide = 32;

class ResnetTest : public ::testing::Test {
 protected:
  ResnetTest() {
    safetensors::WriteTensors(train_, NoisyImages(60, kSide, 1));
    safetensors::WriteTensors(validation_, NoisyImages(21, kSide, 2));
  }

  // Six steps of AdamW.
  v1::JobSpec Job() const {
    v1::JobSpec spec = SixSteps("resnet", model_);
    spec.mutable_data()->set_format(v1::DATA_FORMAT_TENSORS);
    spec.mutable_data()->add_train_files(train_);
    spec.mutable_data()->add_validation_files(validation_);
    return spec;
  }

  void ExpectTheBitsOfPlainTraining(const v1::JobSpec& spec) const {
    hydra::ExpectTheBitsOfPlainTraining(spec, /*layers=*/5, train_);
  }

  // Of the model in the directory, by their names.
  static std::map<std::string, int64_t> CountsIn(const std::string& directory) {
    std::map<std::string, int64_t> counts;
    const auto reader =
        safetensors::Reader::Open(directory + "/model.safetensors");
    EXPECT_TRUE(reader.ok()) << reader.status();
    for (const safetensors::TensorInfo& tensor : reader->table().tensors()) {
      if (!absl::EndsWith(tensor.name, "num_batches_tracked")) continue;
      EXPECT_EQ(tensor.dtype, Dtype::kI64);
      int64_t& count = counts[tensor.name];
      EXPECT_TRUE(reader->Read(tensor.name, 0, sizeof(count), &count).ok());
    }
    return counts;
  }

  const std::string directory_ = FreshDirectory();
  const std::string model_ = CopyOfFixture("resnet-tiny", directory_);
  const std::string train_ = directory_ + "/train.safetensors";
  const std::string validation_ = directory_ + "/validation.safetensors";
};

TEST_F(ResnetTest, EveryPartitionGivesTheBitsOfPlainTraining) {
  ExpectTheBitsOfPlainTraining(Job());
}

TEST_F(ResnetTest, SoItDoesWithClippingAndRounds) {
  v1::JobSpec spec = Job();
  spec.mutable_train()->set_max_grad_norm(0.5);
  spec.mutable_train()->set_micro_batches_per_round(1);
  ExpectTheBitsOfPlainTraining(spec);
}

TEST_F(ResnetTest, SoItDoesFromRandomWeightsWithoutMoments) {
  v1::JobSpec spec = Job();
  spec.mutable_model()->set_init(v1::INITIALIZATION_RANDOM);
  spec.mutable_train()->set_optim(v1::OPTIMIZER_SGD);
  spec.mutable_train()->set_no_decay_biases_and_norms(true);
  ExpectTheBitsOfPlainTraining(spec);
}

TEST_F(ResnetTest, SoItDoesWithFactoredMoments) {
  v1::JobSpec spec = Job();
  spec.mutable_train()->set_optim(v1::OPTIMIZER_ADAFACTOR);
  ExpectTheBitsOfPlainTraining(spec);
}

// What a batch norm remembers is trained where its parameters are frozen.
TEST_F(ResnetTest, SoItDoesWithPartsOfLayersFrozen) {
  v1::JobSpec spec = Job();
  spec.mutable_model()->add_frozen("*.normalization.weight");
  spec.mutable_model()->add_frozen("resnet.embedder.*.normalization.*");
  ExpectTheBitsOfPlainTraining(spec);
  Cluster cluster({});
  for (const auto& [name, count] :
       CountsIn(RunCompleted(cluster, spec).output_path())) {
    EXPECT_EQ(count, absl::StrContains(name, "embedder") ? 0 : 12) << name;
  }
}

TEST_F(ResnetTest, FrozenFirstLayersAreTheSameInOnePieceAndInMany) {
  v1::JobSpec spec = Job();
  spec.mutable_model()->add_frozen("resnet.embedder.*");
  spec.mutable_model()->add_frozen("resnet.encoder.stages.0.*");
  ExpectTheBitsOfPlainTraining(spec);
  Cluster cluster({});
  for (const auto& [name, count] :
       CountsIn(RunCompleted(cluster, spec).output_path())) {
    EXPECT_EQ(count, absl::StrContains(name, "stages.1") ? 12 : 0) << name;
  }
}

TEST_F(ResnetTest, WithoutThePoolItGoesOnFromItsCheckpoint) {
  v1::JobSpec spec = Job();
  spec.mutable_train()->set_max_steps(40);
  spec.mutable_checkpoint()->set_every_steps(5);
  spec.mutable_partition()->add_cut_points(2);
  Cluster undisturbed({});
  const v1::JobDetail whole = RunCompleted(undisturbed, spec);
  Cluster cluster({});
  const std::string job = cluster.Submit(spec);
  cluster.AwaitJob(job, [](const v1::JobDetail& detail) {
    return detail.checkpoints_size() > 0;
  });
  cluster.KillDaemon();
  cluster.LosePool();
  cluster.StartDaemon();
  EXPECT_EQ(Difference(OutcomeOf(cluster.AwaitEnd(job)), OutcomeOf(whole)), "");
}

// It evaluates with what its batch norms remember, as transformers does.
TEST_F(ResnetTest, LearnsWhatClientsSee) {
  Cluster cluster({});
  v1::JobSpec spec = Job();
  spec.mutable_train()->set_max_steps(150);
  spec.mutable_evaluation()->clear_eval_steps();
  spec.mutable_data()->add_test_files(train_);
  const v1::JobDetail job = RunCompleted(cluster, spec);
  // Of the images that it saw. By chance it were 0.1.
  EXPECT_GT(job.status().test_accuracy(), 0.8);
  EXPECT_TRUE(job.status().has_validation_accuracy());
}

// Tensors, types and shapes, and what goes on where another training ended.
TEST_F(ResnetTest, TheTrainedDirectoryIsAsTransformersWritesIt) {
  Cluster cluster({});
  const std::string trained = RunCompleted(cluster, Job()).output_path();
  const auto tensors_in = [](const std::string& directory) {
    std::map<std::string, std::pair<Dtype, std::vector<int64_t>>> tensors;
    const auto reader =
        safetensors::Reader::Open(directory + "/model.safetensors");
    EXPECT_TRUE(reader.ok()) << reader.status();
    for (const safetensors::TensorInfo& tensor : reader->table().tensors()) {
      tensors[tensor.name] = {tensor.dtype, tensor.shape};
    }
    return tensors;
  };
  EXPECT_EQ(tensors_in(trained), tensors_in(model_));
  EXPECT_EQ(nlohmann::json::parse(ReadFile(trained + "/config.json")),
            nlohmann::json::parse(ReadFile(model_ + "/config.json")));
  // Micro-batches of the steps.
  EXPECT_EQ(CountsIn(trained).size(), 8);
  for (const auto& [name, count] : CountsIn(trained)) EXPECT_EQ(count, 12);

  // Jobs read nothing of the daemon's own folders.
  const std::string copy = directory_ + "/trained";
  std::filesystem::copy(trained, copy);
  v1::JobSpec more = Job();
  more.mutable_model()->set_path(copy);
  for (const auto& [name, count] :
       CountsIn(RunCompleted(cluster, more).output_path())) {
    EXPECT_EQ(count, 24) << name;
  }
}

TEST_F(ResnetTest, WhatItCannotDoIsRefused) {
  Cluster cluster({});
  const auto error_of = [&](const v1::JobSpec& spec) {
    v1::SubmitRequest request;
    *request.mutable_job() = spec;
    grpc::ClientContext context;
    v1::SubmitResponse response;
    const grpc::Status status =
        cluster.stub().Submit(&context, request, &response);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    return status.error_message();
  };
  v1::JobSpec spec = Job();
  spec.mutable_lora()->set_r(4);
  EXPECT_THAT(error_of(spec), HasSubstr("no linear maps to adapt"));
  spec = Job();
  spec.mutable_train()->set_dropout(0.1);
  EXPECT_THAT(error_of(spec), HasSubstr("a ResNet has no dropout"));
  spec = Job();
  spec.mutable_train()->set_bf16(true);
  EXPECT_THAT(error_of(spec), HasSubstr("no products that train.bf16 rounds"));
  spec = Job();
  spec.mutable_train()->set_fp16(true);
  EXPECT_THAT(error_of(spec), HasSubstr("no products that train.fp16 rounds"));
  spec = Job();
  spec.mutable_model()->set_trained_dtype(v1::PARAMETER_TYPE_BFLOAT16);
  EXPECT_THAT(error_of(spec), HasSubstr("model.trained_dtype: found bfloat16"));
  spec = Job();
  spec.mutable_model()->add_frozen("resnet.*.weight");
  spec.mutable_model()->add_frozen("resnet.*.bias");
  EXPECT_THAT(error_of(spec), HasSubstr("but not all that its batch norms "
                                        "remember"));
  spec = Job();
  const std::string config = ReadFile(model_ + "/config.json");
  WriteFile(model_ + "/config.json",
            absl::StrReplaceAll(config, {{"\"image_size\": 32,", ""}}));
  EXPECT_THAT(error_of(spec), HasSubstr("config.json: image_size: missing"));
  WriteFile(model_ + "/config.json",
            absl::StrReplaceAll(config,
                                {{"\"image_size\": 32", "\"image_size\": 8"}}));
  spec.mutable_train()->set_per_device_train_batch_size(1);
  EXPECT_THAT(error_of(spec),
              HasSubstr("train.per_device_train_batch_size: found 1; layer 2 "
                        "has a batch norm with one value of each channel"));
}

}  // namespace
}  // namespace hydra
