// A ViT on tensors: the same bits however it is cut, what clients see of it,
// and what is said of data that does not fit it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
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
using safetensors::FileTensor;
using safetensors::TensorOf;
using ::testing::AllOf;
using ::testing::HasSubstr;

// Of the fixture's model.
constexpr int64_t kNumbers = int64_t{3} * 16 * 16;

std::vector<FileTensor> Images(int64_t count, uint32_t seed) {
  return NoisyImages(count, /*side=*/16, seed);
}

class VitTest : public ::testing::Test {
 protected:
  VitTest() {
    safetensors::WriteTensors(train_, Images(60, 1));
    safetensors::WriteTensors(validation_, Images(21, 2));
  }

  // Six steps of AdamW.
  v1::JobSpec Job() const {
    v1::JobSpec spec = SixSteps("vit", model_);
    spec.mutable_data()->set_format(v1::DATA_FORMAT_TENSORS);
    spec.mutable_data()->add_train_files(train_);
    spec.mutable_data()->add_validation_files(validation_);
    return spec;
  }

  void ExpectTheBitsOfPlainTraining(const v1::JobSpec& spec) const {
    hydra::ExpectTheBitsOfPlainTraining(spec, /*layers=*/4, train_);
  }

  grpc::Status Submit(Cluster& cluster, const v1::JobSpec& spec) const {
    v1::SubmitRequest request;
    *request.mutable_job() = spec;
    grpc::ClientContext context;
    v1::SubmitResponse response;
    return cluster.stub().Submit(&context, request, &response);
  }

  const std::string directory_ = FreshDirectory();
  const std::string model_ = CopyOfFixture("vit-tiny", directory_);
  const std::string train_ = directory_ + "/train.safetensors";
  const std::string validation_ = directory_ + "/validation.safetensors";
};

TEST_F(VitTest, EveryPartitionGivesTheBitsOfPlainTraining) {
  ExpectTheBitsOfPlainTraining(Job());
}

TEST_F(VitTest, SoItDoesWithDropoutClippingAndRounds) {
  v1::JobSpec spec = Job();
  spec.mutable_train()->set_dropout(0.1);
  spec.mutable_train()->set_max_grad_norm(0.5);
  spec.mutable_train()->set_micro_batches_per_round(1);
  ExpectTheBitsOfPlainTraining(spec);
}

TEST_F(VitTest, AdaptersAreTheSameInOnePieceAndInMany) {
  v1::JobSpec spec = Job();
  spec.mutable_lora()->set_r(3);
  spec.mutable_lora()->set_lora_dropout(0.1);
  ExpectTheBitsOfPlainTraining(spec);
}

TEST_F(VitTest, ABaseOfInt8IsTheSameInOnePieceAndInMany) {
  v1::JobSpec spec = Job();
  spec.mutable_lora()->set_r(3);
  spec.mutable_model()->set_frozen_dtype(v1::PARAMETER_TYPE_INT8);
  ExpectTheBitsOfPlainTraining(spec);
}

TEST_F(VitTest, MastersAreTheSameInOnePieceAndInMany) {
  v1::JobSpec spec = Job();
  spec.mutable_model()->set_trained_dtype(v1::PARAMETER_TYPE_BFLOAT16);
  ExpectTheBitsOfPlainTraining(spec);
}

TEST_F(VitTest, FrozenFirstLayersAreTheSameInOnePieceAndInMany) {
  v1::JobSpec spec = Job();
  spec.mutable_model()->add_frozen("vit.embeddings.*");
  spec.mutable_model()->add_frozen("vit.encoder.layer.0.*");
  ExpectTheBitsOfPlainTraining(spec);
}

TEST_F(VitTest, BiasesAndNormsAloneAreTheSameInOnePieceAndInMany) {
  v1::JobSpec spec = Job();
  spec.mutable_model()->add_frozen("vit.*.dense.weight");
  spec.mutable_model()->add_frozen("vit.*.attention.*.weight");
  spec.mutable_model()->add_frozen("vit.embeddings.*");
  spec.mutable_model()->add_frozen("classifier.weight");
  ExpectTheBitsOfPlainTraining(spec);
}

// Its patches' weight has four dimensions.
TEST_F(VitTest, AdafactorIsTheSameInOnePieceAndInMany) {
  v1::JobSpec spec = Job();
  spec.mutable_train()->set_optim(v1::OPTIMIZER_ADAFACTOR);
  ExpectTheBitsOfPlainTraining(spec);
}

TEST_F(VitTest, AccuracyIsWhatClientsSee) {
  Cluster cluster({});
  v1::JobSpec spec = Job();
  spec.mutable_train()->set_max_steps(100);
  spec.mutable_data()->add_test_files(validation_);
  const v1::JobDetail job = RunCompleted(cluster, spec);
  // By chance it were 0.1.
  EXPECT_GT(job.status().validation_accuracy(), 0.3);
  EXPECT_EQ(job.status().test_accuracy(), job.status().validation_accuracy());
  EXPECT_FALSE(job.status().has_validation_perplexity());
  EXPECT_FALSE(job.status().has_test_perplexity());
  ASSERT_GE(job.evaluations_size(), 2);
  for (const v1::EvaluationMetrics& evaluation : job.evaluations()) {
    EXPECT_EQ(evaluation.tokens(), 21);
    EXPECT_TRUE(evaluation.has_accuracy());
    // A number of whole examples.
    EXPECT_NEAR(evaluation.accuracy() * 21,
                std::round(evaluation.accuracy() * 21), 1e-9);
  }
  const auto client = [&](const std::vector<std::string>& arguments) {
    std::vector<std::string> command = {"client/hydra", "--server",
                                        cluster.address()};
    command.insert(command.end(), arguments.begin(), arguments.end());
    const ProgramResult result = RunProgram(command);
    EXPECT_EQ(result.code, 0) << result.output;
    return result.output;
  };
  const std::string accuracy =
      absl::StrFormat("%.4f", job.status().validation_accuracy());
  const std::string id = job.status().job_id();
  EXPECT_THAT(client({"list", "--all"}),
              AllOf(HasSubstr("VAL ACC"), HasSubstr(accuracy)));
  EXPECT_THAT(
      client({"results", job.status().sweep_id()}),
      AllOf(HasSubstr("VAL ACC"), HasSubstr("TEST ACC"), HasSubstr(accuracy)));
  EXPECT_THAT(client({"describe", id}),
              AllOf(HasSubstr("accuracy " + accuracy), HasSubstr("ACCURACY"),
                    HasSubstr("examples/s")));
  EXPECT_THAT(client({"describe", id, "-o", "json"}), HasSubstr("accuracy"));
}

TEST_F(VitTest, ADaemonKilledAboutAnEvaluationCountsOn) {
  v1::JobSpec spec = Job();
  spec.mutable_partition()->add_cut_points(2);
  spec.mutable_evaluation()->set_per_device_eval_batch_size(1);
  Cluster undisturbed({});
  const v1::JobDetail whole = RunCompleted(undisturbed, spec);
  Cluster cluster({});
  const std::string job = cluster.Submit(spec);
  cluster.AwaitStep(job, 3);
  cluster.KillDaemon();
  cluster.StartDaemon();
  EXPECT_EQ(Difference(OutcomeOf(cluster.AwaitEnd(job)), OutcomeOf(whole)), "");
}

TEST_F(VitTest, TheTrainedDirectoryIsAsTransformersWritesIt) {
  WriteFile(model_ + "/preprocessor_config.json", "{\"size\": 16}");
  Cluster cluster({});
  v1::JobSpec spec = Job();
  spec.mutable_train()->set_max_steps(1);
  const std::string trained = RunCompleted(cluster, spec).output_path();
  const auto shapes_in = [](const std::string& directory) {
    std::map<std::string, std::vector<int64_t>> shapes;
    const auto reader =
        safetensors::Reader::Open(directory + "/model.safetensors");
    EXPECT_TRUE(reader.ok()) << reader.status();
    for (const safetensors::TensorInfo& tensor : reader->table().tensors()) {
      shapes[tensor.name] = tensor.shape;
    }
    return shapes;
  };
  EXPECT_EQ(shapes_in(trained), shapes_in(model_));
  EXPECT_EQ(nlohmann::json::parse(ReadFile(trained + "/config.json")),
            nlohmann::json::parse(ReadFile(model_ + "/config.json")));
  EXPECT_EQ(ReadFile(trained + "/preprocessor_config.json"), "{\"size\": 16}");
}

TEST_F(VitTest, WhatDoesNotGoTogetherIsRefused) {
  Cluster cluster({});
  const auto error_of = [&](const v1::JobSpec& spec) {
    const grpc::Status status = Submit(cluster, spec);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    return status.error_message();
  };
  v1::JobSpec spec = Job();
  spec.mutable_data()->set_format(v1::DATA_FORMAT_TEXT);
  EXPECT_THAT(error_of(spec),
              HasSubstr("data.format: found text, but ViT takes pixel_values, "
                        "[3, 16, 16] of safetensors files; set it to tensors"));
  spec = Job();
  spec.mutable_model()->set_path(CopyOfFixture("gpt2-tiny", directory_));
  EXPECT_THAT(error_of(spec), HasSubstr("data.format: found tensors, but "
                                        "GPT-2 takes token ids"));
  spec = Job();
  spec.mutable_train()->set_context_length(16);
  spec.mutable_data()->set_packing(true);
  spec.mutable_data()->set_text_field("text");
  spec.mutable_model()->set_tokenizer_path(directory_);
  EXPECT_THAT(error_of(spec),
              AllOf(HasSubstr("train.context_length: "),
                    HasSubstr("data.packing: "), HasSubstr("data.text_field: "),
                    HasSubstr("model.tokenizer_path: ")));
  spec = Job();
  WriteFile(directory_ + "/text", "these are no tensors");
  spec.mutable_data()->set_train_files(0, directory_ + "/text");
  EXPECT_THAT(error_of(spec), HasSubstr("data.train_files[0]: "));
  spec = Job();
  spec.mutable_train()->set_per_device_train_batch_size(60000);
  spec.mutable_train()->set_gradient_accumulation_steps(4);
  EXPECT_THAT(error_of(spec), HasSubstr("examples of 768 numbers; at most"));
}

TEST_F(VitTest, DataThatIsWrongFailsTheJobWithItsPlace) {
  Cluster cluster({});
  const auto reason_of = [&](std::vector<FileTensor> tensors) {
    const std::string path = directory_ + "/bad.safetensors";
    safetensors::WriteTensors(path, tensors);
    v1::JobSpec spec = Job();
    spec.mutable_data()->set_train_files(0, path);
    const v1::JobDetail job = cluster.Run(spec);
    EXPECT_EQ(job.status().state(), v1::JOB_STATE_FAILED);
    return job.status().reason();
  };
  std::vector<FileTensor> bad = Images(20, 3);
  bad[1] = TensorOf("labels", Dtype::kI64, {20}, std::vector<int64_t>(20, 10));
  EXPECT_THAT(reason_of(bad),
              HasSubstr("bad.safetensors: labels: example 0 has class 10; the "
                        "model has classes 0 to 9"));
  bad = Images(20, 3);
  std::vector<float> pixels(20 * kNumbers);
  pixels[7 * kNumbers] = std::numeric_limits<float>::quiet_NaN();
  bad[0] = TensorOf("pixel_values", Dtype::kF32, {20, 3, 16, 16}, pixels);
  EXPECT_THAT(reason_of(bad),
              HasSubstr("pixel_values: number 0 of example 7 is infinite"));
  bad = Images(20, 3);
  bad[0].spec.shape = {20, 16, 16, 3};
  EXPECT_THAT(reason_of(bad), HasSubstr("found the shape [20, 16, 16, 3]; the "
                                        "model takes [examples, 3, 16, 16]"));
  EXPECT_THAT(reason_of(Images(5, 3)),
              HasSubstr("the training split has 5 examples; one step takes 8"));
}

}  // namespace
}  // namespace hydra
