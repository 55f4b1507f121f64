// A model of each family gives the same bits however it is cut, and trains to a
// directory of the form that transformers writes for it.

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/base/casts.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/file/scratch_directory.h"
#include "common/safetensors/reader.h"
#include "common/safetensors/writer.h"
#include "tests/e2e/cluster.h"
#include "tests/e2e/outcome.h"
#include "tests/e2e/small_job.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

std::map<std::string, std::vector<int64_t>> ShapesIn(
    const std::string& directory,
    const std::string& file = "model.safetensors") {
  std::map<std::string, std::vector<int64_t>> shapes;
  const auto reader = safetensors::Reader::Open(directory + "/" + file);
  EXPECT_TRUE(reader.ok()) << reader.status();
  if (!reader.ok()) return shapes;
  for (const safetensors::TensorInfo& tensor : reader->table().tensors()) {
    shapes[tensor.name] = tensor.shape;
  }
  return shapes;
}

// The model's weights in bfloat16, with as many digits as float16 has room for,
// too.
void RoundWeights(const std::string& directory) {
  const std::string file = directory + "/model.safetensors";
  std::vector<safetensors::TensorSpec> specs;
  std::vector<std::vector<uint16_t>> rounded;
  {
    const auto reader = safetensors::Reader::Open(file);
    ASSERT_TRUE(reader.ok()) << reader.status();
    for (const safetensors::TensorInfo& tensor : reader->table().tensors()) {
      specs.push_back({tensor.name, safetensors::Dtype::kBF16, tensor.shape});
      std::vector<float> numbers(tensor.size_bytes / sizeof(float));
      ASSERT_TRUE(
          reader->ReadAsFloat32(tensor.name, 0, absl::MakeSpan(numbers)).ok());
      rounded.emplace_back();
      for (float number : numbers) {
        if (std::abs(number) < 1e-4f) number = 0;
        rounded.back().push_back(absl::bit_cast<uint32_t>(number) >> 16);
      }
    }
  }
  std::filesystem::remove(file);
  auto writer = safetensors::Writer::Create(file, specs);
  ASSERT_TRUE(writer.ok()) << writer.status();
  for (size_t i = 0; i < specs.size(); ++i) {
    ASSERT_TRUE((*writer)
                    ->Append(specs[i].name, rounded[i].data(),
                             rounded[i].size() * sizeof(uint16_t))
                    .ok());
  }
  ASSERT_TRUE((*writer)->Finish().ok());
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

  bool IsGpt2() const { return GetParam() == "gpt2-tiny"; }

  void ExpectTheBitsOfPlainTraining(Cluster& cluster, v1::JobSpec spec) const;

  v1::JobDetail Run(Cluster& cluster, const v1::JobSpec& spec) const {
    v1::JobDetail job = cluster.Run(spec);
    EXPECT_EQ(job.status().state(), v1::JOB_STATE_COMPLETED)
        << job.status().reason();
    return job;
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

// Two devices, of which the second one has copies that take time, and the
// host's updates.
Cluster::Options PlainAndLinked() {
  Cluster::Options options;
  options.devices = {"cpu:0=64MiB", "cpu:1=64MiB,link=0.05"};
  options.settings.push_back("lookahead=2");
  return options;
}

// Whole, cut in two and everywhere.
void FamiliesTest::ExpectTheBitsOfPlainTraining(Cluster& cluster,
                                                v1::JobSpec spec) const {
  const v1::JobDetail whole = Run(cluster, spec);
  EXPECT_EQ(DifferenceToPlainTraining(whole, model_, files_.train_tokens), "");
  std::vector<int> everywhere;
  for (int cut = 1; cut < Layers(); ++cut) everywhere.push_back(cut);
  for (const std::vector<int>& cuts : {std::vector<int>{2}, everywhere}) {
    spec.clear_partition();
    for (int cut : cuts) spec.mutable_partition()->add_cut_points(cut);
    EXPECT_EQ(Difference(OutcomeOf(Run(cluster, spec)), OutcomeOf(whole)), "");
  }
}

TEST_P(FamiliesTest, EveryPartitionGivesTheBitsOfPlainTraining) {
  for (double dropout : {0.0, 0.1}) {
    SCOPED_TRACE(absl::StrCat("dropout ", dropout));
    v1::JobSpec spec = Job();
    spec.mutable_train()->set_dropout(dropout);
    Cluster cluster(PlainAndLinked());
    ExpectTheBitsOfPlainTraining(cluster, spec);
  }
}

TEST_P(FamiliesTest, AdaptersAreTheSameInOnePieceAndInMany) {
  Cluster cluster(PlainAndLinked());
  v1::JobSpec spec = Job();
  // As PEFT has it for the model.
  spec.mutable_lora();
  ExpectTheBitsOfPlainTraining(cluster, spec);
  spec.mutable_lora()->set_r(3);
  spec.mutable_lora()->set_lora_alpha(6);
  spec.mutable_lora()->set_lora_dropout(0.1);
  spec.mutable_lora()->set_use_rslora(true);
  spec.mutable_lora()->add_target_modules("all-linear");
  spec.mutable_train()->set_dropout(0.1);
  spec.mutable_train()->set_max_grad_norm(0.01);
  spec.mutable_train()->set_micro_batches_per_round(1);
  ExpectTheBitsOfPlainTraining(cluster, spec);
}

TEST_P(FamiliesTest, FrozenFirstLayersAreTheSameInOnePieceAndInMany) {
  Cluster cluster(PlainAndLinked());
  v1::JobSpec spec = Job();
  for (const char* pattern :
       IsGpt2()
           ? std::vector<const char*>{"*.w?e.*", "*.h.0.*"}
           : std::vector<const char*>{"*.embed_tokens.*", "*.layers.0.*"}) {
    spec.mutable_model()->add_frozen(pattern);
  }
  spec.mutable_train()->set_dropout(0.1);
  ExpectTheBitsOfPlainTraining(cluster, spec);
}

TEST_P(FamiliesTest, PartsOfBlocksThatAreFrozenStayAsTheyAre) {
  Cluster cluster(PlainAndLinked());
  v1::JobSpec spec = Job();
  spec.mutable_model()->add_frozen("*.mlp.*");
  spec.mutable_train()->set_dropout(0.1);
  spec.mutable_train()->set_max_grad_norm(0.01);
  spec.mutable_train()->set_micro_batches_per_round(1);
  ExpectTheBitsOfPlainTraining(cluster, spec);
  const std::string trained = Run(cluster, spec).output_path();
  const auto before = safetensors::Reader::Open(model_ + "/model.safetensors");
  const auto after = safetensors::Reader::Open(trained + "/model.safetensors");
  ASSERT_TRUE(before.ok() && after.ok());
  for (const safetensors::TensorInfo& tensor : before->table().tensors()) {
    std::vector<float> a(tensor.elements), b(tensor.elements);
    ASSERT_TRUE(before->ReadAsFloat32(tensor.name, 0, absl::MakeSpan(a)).ok());
    ASSERT_TRUE(after->ReadAsFloat32(tensor.name, 0, absl::MakeSpan(b)).ok());
    EXPECT_EQ(a == b, tensor.name.find(".mlp.") != std::string::npos)
        << tensor.name;
  }
}

TEST_P(FamiliesTest, NormsAloneAreTheSameInOnePieceAndInMany) {
  Cluster cluster(PlainAndLinked());
  v1::JobSpec spec = Job();
  for (const char* pattern :
       IsGpt2() ? std::vector<const char*>{"*.w?e.*", "*.attn.*", "*.mlp.*"}
                : std::vector<const char*>{"*.embed_tokens.*", "*lm_head.*",
                                           "*_proj.*"}) {
    spec.mutable_model()->add_frozen(pattern);
  }
  ExpectTheBitsOfPlainTraining(cluster, spec);
}

TEST_P(FamiliesTest, AdafactorIsTheSameInOnePieceAndInMany) {
  Cluster cluster(PlainAndLinked());
  v1::JobSpec spec = Job();
  spec.mutable_train()->set_optim(v1::OPTIMIZER_ADAFACTOR);
  ExpectTheBitsOfPlainTraining(cluster, spec);
  spec.mutable_model()->add_frozen("*.mlp.*");
  spec.mutable_train()->set_max_grad_norm(0.01);
  ExpectTheBitsOfPlainTraining(cluster, spec);
  spec.mutable_model()->set_trained_dtype(v1::PARAMETER_TYPE_BFLOAT16);
  ExpectTheBitsOfPlainTraining(cluster, spec);
}

TEST_P(FamiliesTest, FrozenParametersOfTwoBytesChangeNoBit) {
  RoundWeights(model_);
  Cluster cluster(PlainAndLinked());
  v1::JobSpec spec = Job();
  spec.mutable_lora()->add_target_modules("all-linear");
  spec.mutable_lora()->set_lora_dropout(0.1);
  const v1::JobDetail own = Run(cluster, spec);
  EXPECT_EQ(own.spec().model().frozen_dtype(), v1::PARAMETER_TYPE_BFLOAT16);
  ExpectTheBitsOfPlainTraining(cluster, spec);
  for (v1::ParameterType type :
       {v1::PARAMETER_TYPE_FLOAT16, v1::PARAMETER_TYPE_FLOAT32}) {
    spec.mutable_model()->set_frozen_dtype(type);
    EXPECT_EQ(Difference(OutcomeOf(Run(cluster, spec)), OutcomeOf(own)), "");
  }
}

TEST_P(FamiliesTest, ProductsOfBFloat16AreTheSameInOnePieceAndInMany) {
  RoundWeights(model_);
  Cluster cluster(PlainAndLinked());
  v1::JobSpec spec = Job();
  spec.mutable_train()->set_bf16(true);
  spec.mutable_train()->set_dropout(0.1);
  ExpectTheBitsOfPlainTraining(cluster, spec);
  spec.mutable_lora();
  ExpectTheBitsOfPlainTraining(cluster, spec);
  Outcome rounded = OutcomeOf(Run(cluster, spec));
  spec.mutable_train()->set_bf16(false);
  EXPECT_NE(Difference(OutcomeOf(Run(cluster, spec)), rounded), "");
}

// The first scales are too large for each of these models, and some later ones
// are not.
TEST_P(FamiliesTest, ProductsOfFloat16AreTheSameInOnePieceAndInMany) {
  RoundWeights(model_);
  Cluster cluster(PlainAndLinked());
  v1::JobSpec spec = Job();
  spec.mutable_train()->set_max_steps(9);
  spec.mutable_train()->set_fp16(true);
  spec.mutable_train()->set_loss_scale(0x1p23);
  spec.mutable_train()->set_loss_scale_growth_interval(2);
  spec.mutable_train()->set_dropout(0.1);
  ExpectTheBitsOfPlainTraining(cluster, spec);
  const v1::JobDetail job = Run(cluster, spec);
  int overflows = 0;
  for (const v1::StepMetrics& step : job.steps()) {
    overflows += step.overflowed();
    EXPECT_EQ(step.overflowed(), step.skipped_blocks() > 0) << step.step();
    EXPECT_EQ(step.overflowed(), !step.has_grad_norm()) << step.step();
    EXPECT_GE(step.loss_scale(), 1);
    EXPECT_LT(step.train_loss(), 10);
  }
  EXPECT_EQ(job.steps(0).loss_scale(), 0x1p23);
  EXPECT_TRUE(job.steps(0).overflowed());
  EXPECT_EQ(job.steps(1).loss_scale(), 0x1p22);
  EXPECT_LT(overflows, 9);
  EXPECT_EQ(job.totals().nonfinite_steps(), overflows);

  spec.mutable_train()->set_max_grad_norm(0.01);
  spec.mutable_train()->set_micro_batches_per_round(1);
  ExpectTheBitsOfPlainTraining(cluster, spec);
  // The frozen base in float16 goes into products as it is.
  spec.mutable_lora();
  spec.mutable_model()->set_frozen_dtype(v1::PARAMETER_TYPE_FLOAT16);
  ExpectTheBitsOfPlainTraining(cluster, spec);
  const Outcome half = OutcomeOf(Run(cluster, spec));
  spec.mutable_model()->set_frozen_dtype(v1::PARAMETER_TYPE_FLOAT32);
  EXPECT_EQ(Difference(OutcomeOf(Run(cluster, spec)), half), "");
}

TEST_P(FamiliesTest, MastersAreTheSameInOnePieceAndInMany) {
  Cluster cluster(PlainAndLinked());
  v1::JobSpec spec = Job();
  spec.mutable_train()->set_dropout(0.1);
  spec.mutable_model()->set_trained_dtype(v1::PARAMETER_TYPE_BFLOAT16);
  ExpectTheBitsOfPlainTraining(cluster, spec);
  spec.mutable_train()->set_bf16(true);
  spec.mutable_train()->set_max_grad_norm(0.01);
  spec.mutable_train()->set_micro_batches_per_round(1);
  spec.mutable_train()->set_no_decay_biases_and_norms(true);
  ExpectTheBitsOfPlainTraining(cluster, spec);
}

// Without moments, beside layers that stay as they are, and of a checkpoint in
// bfloat16.
TEST_P(FamiliesTest, MastersOfSgdAreTheSameInOnePieceAndInMany) {
  RoundWeights(model_);
  Cluster cluster(PlainAndLinked());
  v1::JobSpec spec = Job();
  spec.mutable_model()->set_trained_dtype(v1::PARAMETER_TYPE_BFLOAT16);
  spec.mutable_train()->set_optim(v1::OPTIMIZER_SGD);
  spec.mutable_train()->set_learning_rate(0.1);
  spec.mutable_model()->add_frozen(IsGpt2() ? "*.h.0.*" : "*.layers.0.*");
  spec.mutable_model()->set_frozen_dtype(v1::PARAMETER_TYPE_FLOAT32);
  ExpectTheBitsOfPlainTraining(cluster, spec);
}

// As transformers saves a model that it loaded in bfloat16.
TEST_P(FamiliesTest, AModelWithMastersIsWrittenInBFloat16) {
  Cluster cluster({});
  v1::JobSpec spec = Job();
  spec.mutable_train()->set_max_steps(1);
  spec.mutable_model()->set_trained_dtype(v1::PARAMETER_TYPE_BFLOAT16);
  const std::string trained = Run(cluster, spec).output_path();
  EXPECT_EQ(ShapesIn(trained), ShapesIn(model_));
  const auto reader = safetensors::Reader::Open(trained + "/model.safetensors");
  ASSERT_TRUE(reader.ok()) << reader.status();
  for (const safetensors::TensorInfo& tensor : reader->table().tensors()) {
    EXPECT_EQ(tensor.dtype, safetensors::Dtype::kBF16) << tensor.name;
  }
  auto expected = nlohmann::json::parse(ReadFile(model_ + "/config.json"));
  expected[expected.contains("dtype") ? "dtype" : "torch_dtype"] = "bfloat16";
  EXPECT_EQ(nlohmann::json::parse(ReadFile(trained + "/config.json")),
            expected);
}

// And are written as they lie, beside what was trained in four.
TEST_P(FamiliesTest, FrozenLayersOfTwoBytesChangeNoBit) {
  RoundWeights(model_);
  Cluster cluster(PlainAndLinked());
  v1::JobSpec spec = Job();
  spec.mutable_model()->add_frozen(IsGpt2() ? "*.h.0.*" : "*.layers.0.*");
  // And a part of one.
  spec.mutable_model()->add_frozen("*.1.mlp.*");
  spec.mutable_checkpoint()->set_every_steps(2);
  const v1::JobDetail half = Run(cluster, spec);
  spec.mutable_model()->set_frozen_dtype(v1::PARAMETER_TYPE_FLOAT32);
  const v1::JobDetail wide = Run(cluster, spec);
  Outcome of_half = OutcomeOf(half);
  of_half.weights = OutcomeOf(wide).weights;
  EXPECT_EQ(Difference(of_half, OutcomeOf(wide)), "");
  const auto of_two =
      safetensors::Reader::Open(half.output_path() + "/model.safetensors");
  const auto of_four =
      safetensors::Reader::Open(wide.output_path() + "/model.safetensors");
  ASSERT_TRUE(of_two.ok() && of_four.ok());
  int in_two_bytes = 0;
  for (const safetensors::TensorInfo& tensor : of_four->table().tensors()) {
    const size_t count = tensor.size_bytes / sizeof(float);
    std::vector<float> a(count), b(count);
    ASSERT_TRUE(of_two->ReadAsFloat32(tensor.name, 0, absl::MakeSpan(a)).ok());
    ASSERT_TRUE(of_four->ReadAsFloat32(tensor.name, 0, absl::MakeSpan(b)).ok());
    EXPECT_EQ(a, b) << tensor.name;
    in_two_bytes +=
        of_two->table().Find(tensor.name)->dtype == safetensors::Dtype::kBF16;
  }
  EXPECT_GT(in_two_bytes, 5);
}

// The reference rounds them by LibTorch's operations, and computes in float32.
TEST_P(FamiliesTest, ABaseOfInt8IsTheSameInOnePieceAndInMany) {
  Cluster cluster(PlainAndLinked());
  v1::JobSpec spec = Job();
  spec.mutable_lora()->add_target_modules("all-linear");
  spec.mutable_lora()->set_lora_dropout(0.1);
  spec.mutable_train()->set_dropout(0.1);
  const Outcome wide = OutcomeOf(Run(cluster, spec));
  spec.mutable_model()->set_frozen_dtype(v1::PARAMETER_TYPE_INT8);
  ExpectTheBitsOfPlainTraining(cluster, spec);
  EXPECT_NE(Difference(OutcomeOf(Run(cluster, spec)), wide), "");
  spec.mutable_train()->set_bf16(true);
  spec.mutable_train()->set_max_grad_norm(0.01);
  spec.mutable_train()->set_micro_batches_per_round(1);
  ExpectTheBitsOfPlainTraining(cluster, spec);
  // As it is drawn.
  spec.mutable_model()->set_init(v1::INITIALIZATION_RANDOM);
  ExpectTheBitsOfPlainTraining(cluster, spec);
  // The first scales are too large.
  spec.mutable_train()->set_bf16(false);
  spec.mutable_train()->set_fp16(true);
  spec.mutable_train()->set_loss_scale(0x1p23);
  ExpectTheBitsOfPlainTraining(cluster, spec);
}

// What they were rounded to is written in float32, as training had it.
TEST_P(FamiliesTest, FrozenLayersOfInt8AreTheSameInOnePieceAndInMany) {
  Cluster cluster(PlainAndLinked());
  v1::JobSpec spec = Job();
  spec.mutable_model()->add_frozen(IsGpt2() ? "*.w?e.*" : "*.embed_tokens.*");
  spec.mutable_model()->add_frozen(IsGpt2() ? "*.h.0.*" : "*.layers.0.*");
  spec.mutable_model()->add_frozen("*.1.mlp.*");
  spec.mutable_model()->set_frozen_dtype(v1::PARAMETER_TYPE_INT8);
  spec.mutable_checkpoint()->set_every_steps(2);
  ExpectTheBitsOfPlainTraining(cluster, spec);
  spec.mutable_model()->set_trained_dtype(v1::PARAMETER_TYPE_BFLOAT16);
  const std::string trained = Run(cluster, spec).output_path();
  const auto reader = safetensors::Reader::Open(trained + "/model.safetensors");
  ASSERT_TRUE(reader.ok()) << reader.status();
  std::map<safetensors::Dtype, int> tensors;
  for (const safetensors::TensorInfo& tensor : reader->table().tensors()) {
    ++tensors[tensor.dtype];
  }
  EXPECT_EQ(tensors.size(), 2);
  EXPECT_GT(tensors[safetensors::Dtype::kF32], 0);
  EXPECT_GT(tensors[safetensors::Dtype::kBF16], 0);
}

TEST_P(FamiliesTest, TrainedAdaptersAreAsPeftWritesThem) {
  Cluster cluster({});
  v1::JobSpec spec = Job();
  spec.mutable_train()->set_max_steps(1);
  spec.mutable_lora()->set_r(2);
  const std::string trained = Run(cluster, spec).output_path();
  EXPECT_FALSE(std::filesystem::exists(trained + "/model.safetensors"));
  EXPECT_FALSE(std::filesystem::exists(trained + "/config.json"));
  const auto config =
      nlohmann::json::parse(ReadFile(trained + "/adapter_config.json"));
  EXPECT_EQ(config["base_model_name_or_path"], model_);
  EXPECT_EQ(config["r"], 2);
  const auto shapes = ShapesIn(trained, "adapter_model.safetensors");
  const size_t modules = config["target_modules"].size();
  EXPECT_EQ(shapes.size(), 2 * modules * (Layers() - 2));
  for (const auto& [name, shape] : shapes) {
    EXPECT_EQ(name.rfind("base_model.model.", 0), 0) << name;
    EXPECT_EQ(shape[name.find("lora_A") == name.npos ? 1 : 0], 2) << name;
  }
}

// The same bits however it was cut.
TEST_P(FamiliesTest, MergedAdaptersAreAWholeModelOfTheBasesType) {
  Cluster cluster(PlainAndLinked());
  v1::JobSpec spec = Job();
  spec.mutable_train()->set_max_steps(2);
  // So that what is added is more than what bfloat16 rounds away.
  spec.mutable_train()->set_learning_rate(0.01);
  spec.mutable_lora()->add_target_modules("all-linear");
  for (const bool is_rounded : {false, true}) {
    SCOPED_TRACE(is_rounded ? "bfloat16" : "float32");
    if (is_rounded) RoundWeights(model_);
    spec.mutable_output()->set_merge_adapters(false);
    spec.clear_partition();
    const v1::JobDetail adapted = Run(cluster, spec);
    spec.mutable_output()->set_merge_adapters(true);
    const v1::JobDetail whole = Run(cluster, spec);
    const std::string merged = whole.output_path();
    EXPECT_FALSE(std::filesystem::exists(merged + "/adapter_config.json"));
    EXPECT_EQ(ShapesIn(merged), ShapesIn(model_));
    EXPECT_EQ(
        nlohmann::json::parse(ReadFile(merged + "/config.json")).at("dtype"),
        is_rounded ? "bfloat16" : "float32");
    const auto before =
        safetensors::Reader::Open(model_ + "/model.safetensors");
    const auto after = safetensors::Reader::Open(merged + "/model.safetensors");
    ASSERT_TRUE(before.ok() && after.ok());
    size_t changed = 0;
    for (const safetensors::TensorInfo& tensor : before->table().tensors()) {
      EXPECT_EQ(after->table().Find(tensor.name)->dtype, tensor.dtype);
      std::vector<float> a(tensor.elements), b(tensor.elements);
      ASSERT_TRUE(
          before->ReadAsFloat32(tensor.name, 0, absl::MakeSpan(a)).ok());
      ASSERT_TRUE(after->ReadAsFloat32(tensor.name, 0, absl::MakeSpan(b)).ok());
      changed += a != b;
    }
    EXPECT_EQ(
        changed,
        ShapesIn(adapted.output_path(), "adapter_model.safetensors").size() /
            2);
    spec.mutable_partition()->add_cut_points(2);
    EXPECT_EQ(Difference(OutcomeOf(Run(cluster, spec)), OutcomeOf(whole)), "");
    // A step of no length leaves it as it is: it has the adapted model's loss.
    // What is in hydrad's state directory no job may read.
    const std::string copy = FreshDirectory() + "/merged";
    std::filesystem::copy(merged, copy,
                          std::filesystem::copy_options::recursive);
    v1::JobSpec next = Job();
    next.mutable_model()->set_path(copy);
    next.mutable_train()->set_max_steps(1);
    next.mutable_train()->set_learning_rate(1e-30);
    const v1::JobDetail opened = Run(cluster, next);
    ASSERT_GT(opened.evaluations_size(), 0);
    ASSERT_GT(adapted.evaluations_size(), 0);
    EXPECT_NEAR(opened.evaluations().rbegin()->loss(),
                adapted.evaluations().rbegin()->loss(),
                is_rounded ? 1e-2 : 1e-4);
  }
}

// Of a base of int8 it is what that stands for, with the adapters.
TEST_P(FamiliesTest, MergedAdaptersOfABaseOfInt8AreAModelOfFloat32) {
  RoundWeights(model_);
  Cluster cluster(PlainAndLinked());
  v1::JobSpec spec = Job();
  spec.mutable_train()->set_max_steps(2);
  spec.mutable_train()->set_learning_rate(0.01);
  spec.mutable_lora()->add_target_modules("all-linear");
  spec.mutable_model()->set_frozen_dtype(v1::PARAMETER_TYPE_INT8);
  const v1::JobDetail adapted = Run(cluster, spec);
  spec.mutable_output()->set_merge_adapters(true);
  const v1::JobDetail whole = Run(cluster, spec);
  const std::string merged = whole.output_path();
  EXPECT_EQ(ShapesIn(merged), ShapesIn(model_));
  EXPECT_EQ(
      nlohmann::json::parse(ReadFile(merged + "/config.json")).at("dtype"),
      "float32");
  const auto reader = safetensors::Reader::Open(merged + "/model.safetensors");
  ASSERT_TRUE(reader.ok()) << reader.status();
  for (const safetensors::TensorInfo& tensor : reader->table().tensors()) {
    EXPECT_EQ(tensor.dtype, safetensors::Dtype::kF32) << tensor.name;
  }
  spec.mutable_partition()->add_cut_points(2);
  EXPECT_EQ(Difference(OutcomeOf(Run(cluster, spec)), OutcomeOf(whole)), "");
  // With a step of no length it has the adapted model's loss.
  const std::string copy = FreshDirectory() + "/merged";
  std::filesystem::copy(merged, copy, std::filesystem::copy_options::recursive);
  v1::JobSpec next = Job();
  next.mutable_model()->set_path(copy);
  next.mutable_train()->set_max_steps(1);
  next.mutable_train()->set_learning_rate(1e-30);
  const v1::JobDetail opened = Run(cluster, next);
  ASSERT_GT(opened.evaluations_size(), 0);
  ASSERT_GT(adapted.evaluations_size(), 0);
  EXPECT_NEAR(opened.evaluations().rbegin()->loss(),
              adapted.evaluations().rbegin()->loss(), 1e-4);
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
