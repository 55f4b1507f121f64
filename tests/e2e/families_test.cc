// A model of each family gives the same bits however it is cut, and trains to a
// directory of the form that transformers writes for it.

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/file/scratch_directory.h"
#include "common/safetensors/reader.h"
#include "google/protobuf/util/json_util.h"
#include "tests/e2e/cluster.h"
#include "tests/e2e/outcome.h"
#include "tests/e2e/small_job.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

std::map<std::string, std::vector<int64_t>> ShapesIn(
    const std::string& directory) {
  std::map<std::string, std::vector<int64_t>> shapes;
  const auto reader =
      safetensors::Reader::Open(directory + "/model.safetensors");
  EXPECT_TRUE(reader.ok()) << reader.status();
  if (!reader.ok()) return shapes;
  for (const safetensors::TensorInfo& tensor : reader->table().tensors()) {
    shapes[tensor.name] = tensor.shape;
  }
  return shapes;
}

// The parameter: a fixture of tests/parity.
class FamiliesTest : public ::testing::TestWithParam<std::string> {
 protected:
  v1::JobSpec Job() const {
    v1::JobSpec spec = SmallJob(files_, {});
    spec.mutable_model()->set_path(model_);
    return spec;
  }

  // Blocks, embedding and head.
  int Layers() const {
    const auto config =
        nlohmann::json::parse(ReadFile(model_ + "/config.json"));
    return 2 +
           config
               .at(config.contains("n_layer") ? "n_layer" : "num_hidden_layers")
               .get<int>();
  }

  v1::JobDetail Run(Cluster& cluster, const v1::JobSpec& spec) const {
    v1::JobDetail job = cluster.Run(spec);
    EXPECT_EQ(job.status().state(), v1::JOB_STATE_COMPLETED)
        << job.status().reason();
    return job;
  }

  // The plain LibTorch program's: one process, no pool, no shards.
  void ExpectPlainTraining(const v1::JobDetail& job) const {
    std::string train;
    ASSERT_TRUE(
        google::protobuf::util::MessageToJsonString(job.spec().train(), &train)
            .ok());
    const std::string weights = FreshDirectory() + "/model.safetensors";
    const ProgramResult reference =
        RunProgram({"tests/reference/reference_main", "--model", model_,
                    "--tokens", files_.train_tokens, "--token-bytes", "2",
                    "--train", train, "--save", weights});
    ASSERT_EQ(reference.code, 0) << reference.output;
    const Outcome outcome = OutcomeOf(job);
    std::vector<double> losses;
    for (const auto& [step, loss] : outcome.losses) losses.push_back(loss);
    EXPECT_EQ(nlohmann::json::parse(reference.output)["losses"],
              nlohmann::json(losses));
    EXPECT_TRUE(ReadFile(weights) == outcome.weights);
  }

  const SmallJobFiles files_ = MakeSmallJobFiles(FreshDirectory());
  const std::string model_ = CopyOfFixture(GetParam(), FreshDirectory());
};

INSTANTIATE_TEST_SUITE_P(All, FamiliesTest,
                         ::testing::Values("gpt2-tiny", "llama3-tiny",
                                           "mistral-tiny", "qwen2-tiny",
                                           "qwen3-tiny"),
                         [](const auto& info) {
                           return info.param.substr(0, info.param.find('-'));
                         });

TEST_P(FamiliesTest, EveryPartitionGivesTheBitsOfPlainTraining) {
  for (double dropout : {0.0, 0.1}) {
    SCOPED_TRACE(absl::StrCat("dropout ", dropout));
    v1::JobSpec spec = Job();
    spec.mutable_train()->set_dropout(dropout);
    Cluster::Options options;
    // The second one has copies that take time, and the host's updates.
    options.devices = {"cpu:0=64MiB", "cpu:1=64MiB,link=0.05"};
    options.settings.push_back("lookahead=2");
    Cluster cluster(options);
    const v1::JobDetail whole = Run(cluster, spec);
    ExpectPlainTraining(whole);
    std::vector<int> everywhere;
    for (int cut = 1; cut < Layers(); ++cut) everywhere.push_back(cut);
    for (const std::vector<int>& cuts : {std::vector<int>{2}, everywhere}) {
      spec.clear_partition();
      for (int cut : cuts) spec.mutable_partition()->add_cut_points(cut);
      EXPECT_EQ(Difference(OutcomeOf(Run(cluster, spec)), OutcomeOf(whole)),
                "");
    }
  }
}

TEST_P(FamiliesTest, TheTrainedDirectoryIsAsTransformersWritesIt) {
  Cluster cluster({});
  v1::JobSpec spec = Job();
  spec.mutable_train()->set_max_steps(1);
  const std::string trained = Run(cluster, spec).output_path();
  EXPECT_EQ(ShapesIn(trained), ShapesIn(model_));
  EXPECT_EQ(nlohmann::json::parse(ReadFile(trained + "/config.json")),
            nlohmann::json::parse(ReadFile(model_ + "/config.json")));
}

}  // namespace
}  // namespace hydra
