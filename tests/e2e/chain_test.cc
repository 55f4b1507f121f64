// An exported chain, whose layers are code of their own: the same bits however
// it is cut and whoever died, a trained directory that is a chain again, and
// where it is refused.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "common/file/scratch_directory.h"
#include "common/safetensors/testing/tensor_files.h"
#include "tests/e2e/cluster.h"
#include "tests/e2e/every_partition.h"
#include "tests/e2e/outcome.h"
#include "worker/model/testing/exported_chain.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

using safetensors::Dtype;
using safetensors::TensorOf;
using ::testing::HasSubstr;

constexpr char kAllowed[] = "allow_exported_chains=true";

// Noise that is brighter by the class, so that there is something to learn.
void WriteExamples(const std::string& path, int64_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> noise;
  std::vector<float> pixels(count * kExportedNumbers);
  std::vector<int64_t> labels(count);
  for (int64_t i = 0; i < count; ++i) {
    labels[i] = static_cast<int64_t>(random() % kExportedClasses);
    for (int64_t j = 0; j < kExportedNumbers; ++j) {
      pixels[i * kExportedNumbers + j] =
          noise(random) + (j % 8 == labels[i] ? 2.0f : 0.0f);
    }
  }
  safetensors::WriteTensors(
      path, {TensorOf("images", Dtype::kF32, {count, 3, 8, 8}, pixels),
             TensorOf("labels", Dtype::kI64, {count}, labels)});
}

class ChainTest : public ::testing::Test {
 protected:
  ChainTest() {
    std::filesystem::create_directory(model_);
    WriteExportedChain(model_);
    WriteExamples(train_, 60, 1);
    WriteExamples(validation_, 21, 2);
  }

  // Six steps of AdamW.
  v1::JobSpec Job() const {
    v1::JobSpec spec = SixSteps("chain", model_);
    spec.mutable_data()->set_format(v1::DATA_FORMAT_TENSORS);
    spec.mutable_data()->add_train_files(train_);
    spec.mutable_data()->add_validation_files(validation_);
    return spec;
  }

  static Cluster::Options Allowing() {
    Cluster::Options options;
    options.settings.push_back(kAllowed);
    return options;
  }

  void ExpectTheBitsOfPlainTraining(const v1::JobSpec& spec) const {
    hydra::ExpectTheBitsOfPlainTraining(spec, /*layers=*/4, train_, {kAllowed});
  }

  const std::string directory_ = FreshDirectory();
  const std::string model_ = directory_ + "/my-chain";
  const std::string train_ = directory_ + "/train.safetensors";
  const std::string validation_ = directory_ + "/validation.safetensors";
};

TEST_F(ChainTest, EveryPartitionGivesTheBitsOfPlainTraining) {
  ExpectTheBitsOfPlainTraining(Job());
}

TEST_F(ChainTest, SoItDoesWithClippingSmoothedLabelsAndRounds) {
  v1::JobSpec spec = Job();
  spec.mutable_train()->set_max_grad_norm(0.5);
  spec.mutable_train()->set_label_smoothing_factor(0.1);
  spec.mutable_train()->set_micro_batches_per_round(1);
  ExpectTheBitsOfPlainTraining(spec);
}

TEST_F(ChainTest, SoItDoesWithFrozenLayers) {
  v1::JobSpec spec = Job();
  spec.mutable_model()->add_frozen("0.*");
  spec.mutable_model()->add_frozen("mix.weight");
  // Of the last layer, a part.
  spec.mutable_model()->add_frozen("3.bias");
  ExpectTheBitsOfPlainTraining(spec);
}

TEST_F(ChainTest, APilotCutsItAndItLearns) {
  Cluster cluster(Allowing());
  v1::JobSpec spec = Job();
  spec.mutable_train()->set_max_steps(100);
  spec.mutable_train()->set_learning_rate(1e-2);
  spec.mutable_data()->add_test_files(validation_);
  const v1::JobDetail job = RunCompleted(cluster, spec);
  EXPECT_EQ(job.warnings_size(), 0) << job.warnings(0);
  // By chance it were 0.2.
  EXPECT_GT(job.status().validation_accuracy(), 0.4);
  EXPECT_EQ(job.status().test_accuracy(), job.status().validation_accuracy());
  EXPECT_EQ(job.partition().layers_size(), kExportedLayers);
}

TEST_F(ChainTest, ADaemonThatStopsOrDiesGoesOnWithTheSameBits) {
  v1::JobSpec spec = Job();
  spec.mutable_partition()->add_cut_points(2);
  spec.mutable_train()->set_max_steps(400);
  spec.mutable_evaluation()->set_eval_steps(100);
  Cluster undisturbed(Allowing());
  const v1::JobDetail whole = RunCompleted(undisturbed, spec);
  Cluster cluster(Allowing());
  const std::string job = cluster.Submit(spec);
  cluster.AwaitStep(job, 20);
  cluster.KillDaemon();
  cluster.StartDaemon();
  cluster.AwaitStep(job, 60);
  // Its checkpoint is all that is left.
  cluster.StopDaemon();
  cluster.StartDaemon();
  EXPECT_EQ(Difference(OutcomeOf(cluster.AwaitEnd(job)), OutcomeOf(whole)), "");
}

TEST_F(ChainTest, TheTrainedDirectoryIsAChainAgain) {
  Cluster cluster(Allowing());
  v1::JobSpec spec = Job();
  spec.mutable_checkpoint()->set_every_steps(3);
  const std::string trained = RunCompleted(cluster, spec).output_path();
  EXPECT_EQ(ReadFile(trained + "/chain.json"), ExportedChainJson());
  EXPECT_FALSE(std::filesystem::exists(trained + "/config.json"));
  for (int layer = 0; layer < kExportedLayers; ++layer) {
    EXPECT_EQ(ReadFile(trained + "/" + ExportedFileName(layer)),
              ExportedFile(layer));
  }
  // What it was trained to is where the next job begins.
  const std::string copy = FreshDirectory() + "/again";
  std::filesystem::copy(trained, copy,
                        std::filesystem::copy_options::recursive);
  spec.mutable_model()->set_path(copy);
  spec.clear_checkpoint();
  const v1::JobDetail again = RunCompleted(cluster, spec);
  EXPECT_EQ(DifferenceToPlainTraining(again, copy, train_), "");
}

TEST_F(ChainTest, IsRefusedUnlessItsAdministratorAllowsIt) {
  Cluster cluster({});
  v1::SubmitRequest request;
  *request.mutable_job() = Job();
  grpc::ClientContext context;
  v1::SubmitResponse response;
  const grpc::Status status =
      cluster.stub().Submit(&context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("allow_exported_chains: true"));
}

TEST_F(ChainTest, ALeaveThatIsTakenBackHoldsItsJobs) {
  v1::JobSpec spec = Job();
  spec.mutable_partition()->add_cut_points(2);
  spec.mutable_train()->set_max_steps(100'000);
  Cluster cluster(Allowing());
  const std::string job = cluster.Submit(spec);
  cluster.AwaitStep(job, 2);
  cluster.StopDaemon();
  cluster.StartDaemon(Cluster::Options());
  cluster.AwaitJob(job, [](const v1::JobDetail& detail) {
    return detail.status().state() == v1::JOB_STATE_PAUSED;
  });
  EXPECT_THAT(cluster.Job(job).status().reason(),
              HasSubstr("allow_exported_chains"));
  cluster.StopDaemon();
  cluster.StartDaemon(Allowing());
  v1::ResumeRequest request;
  request.set_job_id(job);
  grpc::ClientContext context;
  v1::ResumeResponse response;
  ASSERT_TRUE(cluster.stub().Resume(&context, request, &response).ok());
  const int64_t before = cluster.Job(job).status().step();
  cluster.AwaitStep(job, before + 1);
}

TEST_F(ChainTest, ItsPlanSaysWhatItCannotKnow) {
  Cluster cluster(Allowing());
  WriteFile(directory_ + "/job.yaml",
            "name: chain\n"
            "model: {path: my-chain}\n"
            "data: {format: tensors, train_files: train.safetensors}\n"
            "train: {max_steps: 1, per_device_train_batch_size: 4, "
            "learning_rate: 0.1}\n");
  const ProgramResult plan =
      RunProgram({"client/hydra", "--server", cluster.address(), "plan",
                  directory_ + "/job.yaml"});
  EXPECT_EQ(plan.code, 0) << plan.output;
  EXPECT_THAT(plan.output, HasSubstr("pilot measures"));
}

}  // namespace
}  // namespace hydra
