// Holds the reference trainer to Hugging Face's models and PyTorch's
// optimizers; the README.md of each fixture says what the recorded numbers are.

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iostream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "ATen/Parallel.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/cat.h"
#include "ATen/ops/empty.h"
#include "ATen/ops/zeros_like.h"
#include "absl/strings/match.h"
#include "common/data/batch_plan.h"
#include "common/safetensors/reader.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/reference/reference_trainer.h"
#include "tests/reference/weight_files.h"
#include "worker/model/block_views.h"
#include "worker/model/compute_threads.h"
#include "worker/model/micro_batch.h"

namespace hydra {
namespace {

using nlohmann::json;

constexpr double kTolerance = 1e-5;
// The key's third of GPT-2's c_attn.bias has a gradient that is exactly zero,
// so what Adam makes of its rounding errors is noise.
constexpr double kNoisyTolerance = 1e-4;

// As has all of BERT's and ViT's key's bias, whose norms say nothing.
bool IsNoise(const std::string& name) {
  return absl::EndsWith(name, "attention.attention.key.bias") ||
         absl::EndsWith(name, "attention.self.key.bias");
}

// Remembers the largest relative difference that it saw.
class Comparison {
 public:
  explicit Comparison(std::string what) : what_(std::move(what)) {}
  ~Comparison() {
    std::cout << what_ << ": largest relative difference " << largest_ << "\n";
  }

  void Expect(double actual, double expected, const std::string& where = "",
              double tolerance = kTolerance) {
    const double difference = std::abs(actual - expected) / std::abs(expected);
    largest_ = std::max(largest_, difference);
    EXPECT_LT(difference, tolerance) << what_ << " " << where;
  }

 private:
  const std::string what_;
  double largest_ = 0;
};

std::vector<std::string> Fixtures() {
  return {"bert", "gpt2", "llama3", "mistral", "qwen2", "qwen3", "vit"};
}

std::string DirectoryOf(const std::string& fixture) {
  return "tests/parity/" + fixture + "-tiny";
}

json ReadReference(const std::string& fixture) {
  std::ifstream file(DirectoryOf(fixture) + "/reference.json");
  return json::parse(file);
}

at::Tensor ReadTensor(const safetensors::Reader& reader,
                      const std::string& name, at::ScalarType type) {
  const safetensors::TensorInfo& info = *reader.table().Find(name);
  const at::Tensor tensor = at::empty(info.shape, type);
  EXPECT_TRUE(
      reader.Read(name, 0, info.size_bytes, tensor.mutable_data_ptr()).ok());
  return tensor;
}

// Sequences that BERT takes whole, of which tokens that are to be guessed have
// labels.
std::vector<ReferenceBatch> ReadMasked(const safetensors::Reader& reader) {
  const at::Tensor ids = ReadTensor(reader, "input_ids", at::kLong);
  const at::Tensor types = ReadTensor(reader, "token_type_ids", at::kLong);
  const at::Tensor is_there = ReadTensor(reader, "attention_mask", at::kLong);
  const at::Tensor labels = ReadTensor(reader, "labels", at::kLong);
  std::vector<ReferenceBatch> batches;
  for (int64_t i = 0; i < ids.size(0); ++i) {
    MicroBatch batch;
    // The last column is no input.
    batch.tokens = at::cat({ids[i], at::zeros_like(ids[i].narrow(1, 0, 1))}, 1);
    batch.targets = labels[i];
    batch.untrained_targets = labels[i].eq(kNoTarget).sum().item<int64_t>();
    batch.lengths = is_there[i].sum(1);
    batch.token_types = types[i];
    batches.emplace_back(std::move(batch));
  }
  return batches;
}

// The fixture's batches: tokens, or images with their labels.
std::vector<ReferenceBatch> ReadInputs(const std::string& fixture) {
  const auto reader =
      safetensors::Reader::Open(DirectoryOf(fixture) + "/inputs.safetensors");
  std::vector<ReferenceBatch> batches;
  if (reader->table().Find("tokens") != nullptr) {
    for (const at::Tensor& tokens :
         ReadTensor(*reader, "tokens", at::kLong).unbind(0)) {
      batches.emplace_back(tokens);
    }
    return batches;
  }
  if (reader->table().Find("input_ids") != nullptr) return ReadMasked(*reader);
  const at::Tensor labels = ReadTensor(*reader, "labels", at::kLong);
  const at::Tensor images =
      ReadTensor(*reader, "pixel_values", at::kFloat).flatten(2);
  for (int64_t i = 0; i < labels.size(0); ++i) {
    batches.emplace_back(images[i], labels[i]);
  }
  return batches;
}

hydra::v1::TrainSpec TrainSpecOf(const std::string& name,
                                 const json& optimizer) {
  hydra::v1::TrainSpec train;
  train.set_optim(name == "adam"    ? hydra::v1::OPTIMIZER_ADAM
                  : name == "adamw" ? hydra::v1::OPTIMIZER_ADAMW
                  : name == "lion"  ? hydra::v1::OPTIMIZER_LION
                                    : hydra::v1::OPTIMIZER_SGD);
  train.set_learning_rate(optimizer["lr"]);
  train.set_momentum(optimizer.value("momentum", 0.0));
  train.set_weight_decay(optimizer.value("weight_decay", 0.0));
  if (optimizer.contains("betas")) {
    train.set_adam_beta1(optimizer["betas"][0]);
    train.set_adam_beta2(optimizer["betas"][1]);
    if (optimizer.contains("eps")) train.set_adam_epsilon(optimizer["eps"]);
  }
  return train;
}

ReferenceTrainer MakeTrainer(const std::string& fixture,
                             const hydra::v1::TrainSpec& train,
                             const ModelOverrides& overrides = {}) {
  // The matrices are too small for a second thread to be any help.
  SetUpComputeThreads(1);
  ReferenceTrainer trainer(*ReadTable(DirectoryOf(fixture), overrides), train);
  const absl::Status status =
      LoadWeights(DirectoryOf(fixture), trainer.table(), trainer.parameters());
  EXPECT_TRUE(status.ok()) << status;
  return trainer;
}

double Mean(const LossSum& loss) { return loss.loss_sum / loss.tokens; }

// Compares the L2 norm of each tensor that is trained.
void ExpectNorms(const ModelTable& table, const std::vector<at::Tensor>& flats,
                 const json& expected, const std::string& what) {
  Comparison comparison(what);
  size_t tensors = 0;
  for (size_t i = 0; i < flats.size(); ++i) {
    const ParameterBlock& block = table.parameter_blocks[i];
    if (block.frozen) continue;
    const std::vector<at::Tensor> views = TensorViews(block, flats[i]);
    for (size_t j = 0; j < views.size(); ++j, ++tensors) {
      const std::string& name = block.tensors[j].name;
      if (IsNoise(name)) continue;
      comparison.Expect(views[j].to(at::kDouble).norm().item<double>(),
                        expected.at(name), name,
                        absl::EndsWith(name, "attn.c_attn.bias")
                            ? kNoisyTolerance
                            : kTolerance);
    }
  }
  EXPECT_EQ(tensors, expected.size());
}

class ParityTest : public testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(All, ParityTest, testing::ValuesIn(Fixtures()),
                         [](const testing::TestParamInfo<std::string>& info) {
                           return info.param;
                         });

TEST_P(ParityTest, InitialLogitsAndLosses) {
  const json initial = ReadReference(GetParam())["initial"];
  const std::vector<ReferenceBatch> inputs = ReadInputs(GetParam());
  const ReferenceTrainer trainer = MakeTrainer(GetParam(), {});
  ExpectNorms(trainer.table(), trainer.parameters(), initial["weight_l2"],
              "initial weight norms");

  Comparison losses("initial losses");
  for (size_t i = 0; i < inputs.size(); ++i) {
    losses.Expect(Mean(trainer.Evaluate(inputs[i])),
                  initial["loss_per_batch"][i]);
  }
  const at::Tensor logits = trainer.Logits(inputs[0]).to(at::kDouble).view(-1);
  const json& summary = initial["logits"];
  Comparison comparison("initial logits");
  comparison.Expect(logits.sum().item<double>(), summary["sum"], "sum");
  comparison.Expect(logits.abs().mean().item<double>(), summary["abs_mean"],
                    "abs_mean");
  comparison.Expect(logits.norm().item<double>(), summary["l2"], "l2");
  comparison.Expect(logits.min().item<double>(), summary["min"], "min");
  comparison.Expect(logits.max().item<double>(), summary["max"], "max");
  for (int64_t i = 0; i < 8; ++i) {
    EXPECT_NEAR(logits[i].item<double>(), summary["first_8_flat"][i],
                kTolerance);
    EXPECT_NEAR(logits[logits.numel() - 8 + i].item<double>(),
                summary["last_8_flat"][i], kTolerance);
  }
}

TEST_P(ParityTest, InitialGradients) {
  ReferenceTrainer trainer = MakeTrainer(GetParam(), {});
  trainer.Step({ReadInputs(GetParam())[0]});
  ExpectNorms(trainer.table(), trainer.gradients(),
              ReadReference(GetParam())["initial"]["grad_l2_batch0"],
              "gradient norms of batch 0");
}

// The parameters: fixture and optimizer.
class OptimizerParityTest
    : public testing::TestWithParam<std::tuple<std::string, std::string>> {};

INSTANTIATE_TEST_SUITE_P(
    All, OptimizerParityTest,
    testing::Combine(testing::ValuesIn(Fixtures()),
                     testing::Values("sgd", "sgd_momentum", "adam", "adamw")),
    [](const testing::TestParamInfo<std::tuple<std::string, std::string>>&
           info) {
      return std::get<0>(info.param) + "_" + std::get<1>(info.param);
    });

TEST_P(OptimizerParityTest, TwentySteps) {
  const auto& [fixture, optimizer] = GetParam();
  const json reference = ReadReference(fixture);
  const json& run = reference["runs"][optimizer];
  const std::vector<ReferenceBatch> inputs = ReadInputs(fixture);
  ReferenceTrainer trainer =
      MakeTrainer(fixture, TrainSpecOf(optimizer, run["optimizer"]));

  Comparison losses(fixture + " " + optimizer + " losses");
  ASSERT_EQ(run["loss"].size(), 20);
  for (size_t step = 0; step < run["loss"].size(); ++step) {
    losses.Expect(Mean(trainer.Step({inputs[step % inputs.size()]})),
                  run["loss"][step]);
  }
  Comparison after(fixture + " " + optimizer + " losses after the last step");
  for (size_t i = 0; i < inputs.size(); ++i) {
    after.Expect(Mean(trainer.Evaluate(inputs[i])),
                 run["loss_after_per_batch"][i]);
  }
  ExpectNorms(trainer.table(), trainer.parameters(), run["final_l2"],
              fixture + " " + optimizer + " final weight norms");
}

// See make_training.py, and the fixture's README.md.
json TrainingCase(const std::string& name) {
  std::ifstream file(DirectoryOf("gpt2") + "/training.json");
  return json::parse(file)[name];
}

// The losses of the run's steps, and of all batches after the last one.
void ExpectLosses(const json& run, const std::vector<ReferenceBatch>& inputs,
                  const std::string& what, ReferenceTrainer& trainer) {
  Comparison losses(what + " losses");
  ASSERT_EQ(run["loss"].size(), 20);
  for (size_t step = 0; step < run["loss"].size(); ++step) {
    losses.Expect(Mean(trainer.Step({inputs[step % inputs.size()]})),
                  run["loss"][step]);
  }
  Comparison after(what + " losses after the last step");
  for (size_t i = 0; i < inputs.size(); ++i) {
    after.Expect(Mean(trainer.Evaluate(inputs[i])),
                 run["loss_after_per_batch"][i]);
  }
}

// The gradient of a key's bias is rounding errors, of which Lion makes steps
// that are as long as all others: it is left out, here and there.
TEST(LionParityTest, TwentySteps) {
  const json run = TrainingCase("lion");
  ReferenceTrainer trainer =
      MakeTrainer("gpt2", TrainSpecOf("lion", run["optimizer"]));
  ExpectLosses(run, ReadInputs("gpt2"), "lion", trainer);
  const ModelTable& table = trainer.table();
  for (size_t i = 0; i < table.parameter_blocks.size(); ++i) {
    const ParameterBlock& block = table.parameter_blocks[i];
    const Tensors views = TensorViews(block, trainer.parameters()[i]);
    for (size_t j = 0; j < views.size(); ++j) {
      if (!absl::EndsWith(block.tensors[j].name, "attn.c_attn.bias")) continue;
      const int64_t third = views[j].numel() / 3;
      views[j].narrow(0, third, third).zero_();
    }
  }
  ExpectNorms(table, trainer.parameters(), run["final_l2"],
              "lion final weight norms");
}

TEST(LabelSmoothingParityTest, TwentyStepsOfTransformersTrainer) {
  const json run = TrainingCase("smoothed");
  hydra::v1::TrainSpec train = TrainSpecOf("sgd", run["optimizer"]);
  train.set_label_smoothing_factor(run["label_smoothing_factor"]);
  ReferenceTrainer trainer = MakeTrainer("gpt2", train);
  // The trainer's rows have 31 targets.
  std::vector<ReferenceBatch> inputs = ReadInputs("gpt2");
  for (ReferenceBatch& batch : inputs) {
    batch.tokens = batch.tokens.narrow(1, 0, 32);
  }
  ExpectLosses(run, inputs, "smoothed", trainer);
  ExpectNorms(trainer.table(), trainer.parameters(), run["final_l2"],
              "smoothed final weight norms");
}

// Adapters: fixture, case of lora.json. See make_lora.py.
class LoraParityTest
    : public testing::TestWithParam<std::tuple<std::string, std::string>> {
 protected:
  json Expected() const {
    std::ifstream file(directory_ + "/lora.json");
    return json::parse(file)["cases"][std::get<1>(GetParam())];
  }

  // With the adapters that PEFT began with.
  ReferenceTrainer MakeAdapted(const hydra::v1::TrainSpec& train) const {
    const json config = Expected()["config"];
    ModelOverrides overrides;
    LoraConfig& lora = overrides.lora.emplace();
    lora.r = config["r"];
    lora.lora_alpha = config["lora_alpha"];
    lora.use_rslora = config["use_rslora"];
    if (config["target_modules"] != "") {
      lora.target_modules = {config["target_modules"]};
    }
    ReferenceTrainer trainer =
        MakeTrainer(std::get<0>(GetParam()), train, overrides);
    const auto reader = safetensors::Reader::Open(
        directory_ + "/lora-" + std::get<1>(GetParam()) + ".safetensors");
    EXPECT_TRUE(reader.ok()) << reader.status();
    size_t tensors = 0;
    for (size_t i = 0; i < trainer.parameters().size(); ++i) {
      const ParameterBlock& block = trainer.table().parameter_blocks[i];
      if (!block.is_adapter) continue;
      const Tensors views = TensorViews(block, trainer.parameters()[i]);
      for (size_t j = 0; j < views.size(); ++j, ++tensors) {
        const TensorEntry& tensor = block.tensors[j];
        EXPECT_EQ(reader->table().Find(tensor.name)->shape, tensor.shape);
        EXPECT_TRUE(reader
                        ->Read(tensor.name, 0,
                               tensor.element_count * kFloatBytes,
                               views[j].mutable_data_ptr())
                        .ok());
      }
    }
    EXPECT_EQ(tensors, reader->table().tensors().size());
    return trainer;
  }

  const std::string directory_ = DirectoryOf(std::get<0>(GetParam()));
};

INSTANTIATE_TEST_SUITE_P(
    All, LoraParityTest,
    testing::Combine(testing::Values("gpt2", "llama3"),
                     testing::Values("default", "all-linear")),
    [](const testing::TestParamInfo<std::tuple<std::string, std::string>>&
           info) {
      return std::get<0>(info.param) +
             (std::get<1>(info.param) == "default" ? "_default" : "_all");
    });

TEST_P(LoraParityTest, GradientsAreThoseOfPeft) {
  ReferenceTrainer trainer = MakeAdapted({});
  ExpectNorms(trainer.table(), trainer.parameters(), Expected()["initial_l2"],
              "initial adapter norms");
  trainer.Step({ReadInputs(std::get<0>(GetParam()))[0]});
  ExpectNorms(trainer.table(), trainer.gradients(),
              Expected()["grad_l2_batch0"], "adapter gradient norms");
}

TEST_P(LoraParityTest, TwentySteps) {
  const std::vector<ReferenceBatch> inputs =
      ReadInputs(std::get<0>(GetParam()));
  for (const char* optimizer : {"sgd", "adamw"}) {
    const json run = Expected()["runs"][optimizer];
    ReferenceTrainer trainer =
        MakeAdapted(TrainSpecOf(optimizer, run["optimizer"]));
    Comparison losses(std::string(optimizer) + " losses");
    ASSERT_EQ(run["loss"].size(), 20);
    for (size_t step = 0; step < run["loss"].size(); ++step) {
      losses.Expect(Mean(trainer.Step({inputs[step % inputs.size()]})),
                    run["loss"][step]);
    }
    Comparison after(std::string(optimizer) + " losses after the last step");
    for (size_t i = 0; i < inputs.size(); ++i) {
      after.Expect(Mean(trainer.Evaluate(inputs[i])),
                   run["loss_after_per_batch"][i]);
    }
    ExpectNorms(trainer.table(), trainer.parameters(), run["final_l2"],
                std::string(optimizer) + " final adapter norms");
  }
}

}  // namespace
}  // namespace hydra
