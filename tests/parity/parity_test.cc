// Holds the reference trainer to Hugging Face's models and PyTorch's
// optimizers; the README.md of each fixture says what the recorded numbers are.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
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
#include "common/chain/block_key.h"
#include "common/checkpoint/model_files.h"
#include "common/data/batch_plan.h"
#include "common/file/held_directory.h"
#include "common/file/scratch_directory.h"
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
  return {"bert",  "gpt2",  "llama3", "mistral",
          "qwen2", "qwen3", "resnet", "vit"};
}

// What the fixture's numbers were measured as; without dropout there is no
// other difference.
ReferenceTrainer::Mode ModeOf(const std::string& fixture) {
  return fixture == "resnet" ? ReferenceTrainer::Mode::kTraining
                             : ReferenceTrainer::Mode::kEvaluation;
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
  train.set_optim(name == "adam"        ? hydra::v1::OPTIMIZER_ADAM
                  : name == "adamw"     ? hydra::v1::OPTIMIZER_ADAMW
                  : name == "lion"      ? hydra::v1::OPTIMIZER_LION
                  : name == "adafactor" ? hydra::v1::OPTIMIZER_ADAFACTOR
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

// Compares the L2 norm of each parameter that is trained.
void ExpectNorms(const ModelTable& table, const std::vector<at::Tensor>& flats,
                 const json& expected, const std::string& what) {
  Comparison comparison(what);
  size_t tensors = 0;
  for (size_t i = 0; i < flats.size(); ++i) {
    const ParameterBlock& block = table.parameter_blocks[i];
    if (block.frozen) continue;
    const std::vector<at::Tensor> views = TensorViews(block, flats[i]);
    for (size_t j = 0; j < views.size(); ++j) {
      if (block.tensors[j].use != TensorUse::kParameter) continue;
      ++tensors;
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
    losses.Expect(Mean(trainer.Evaluate(inputs[i], ModeOf(GetParam()))),
                  initial["loss_per_batch"][i]);
  }
  const at::Tensor logits =
      trainer.Logits(inputs[0], ModeOf(GetParam())).to(at::kDouble).view(-1);
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

TEST_P(ParityTest, WhatIsFrozenInABlockChangesNoOtherGradient) {
  ModelOverrides overrides;
  if (GetParam() == "bert") {
    overrides.frozen = {"*.intermediate.*", "*.LayerNorm.weight"};
  } else if (GetParam() == "gpt2") {
    overrides.frozen = {"*.mlp.*", "*.ln_f.bias"};
  } else if (GetParam() == "resnet") {
    overrides.frozen = {"*.convolution.weight", "classifier.*.bias"};
  } else if (GetParam() == "vit") {
    overrides.frozen = {"*.intermediate.*", "*.cls_token", "classifier.bias"};
  } else {
    overrides.frozen = {"*.mlp.*", "*.input_layernorm.*"};
  }
  ReferenceTrainer trainer = MakeTrainer(GetParam(), {}, overrides);
  trainer.Step({ReadInputs(GetParam())[0]});
  const json all = ReadReference(GetParam())["initial"]["grad_l2_batch0"];
  json expected = json::object();
  for (const ParameterBlock& block : trainer.table().parameter_blocks) {
    if (block.frozen) continue;
    for (const TensorEntry& tensor : block.tensors) {
      if (tensor.use != TensorUse::kParameter) continue;
      expected[tensor.name] = all.at(tensor.name);
    }
  }
  EXPECT_LT(expected.size(), all.size());
  ExpectNorms(trainer.table(), trainer.gradients(), expected,
              "gradient norms beside what is frozen");
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
    after.Expect(Mean(trainer.Evaluate(inputs[i], ModeOf(fixture))),
                 run["loss_after_per_batch"][i]);
  }
  ExpectNorms(trainer.table(), trainer.parameters(), run["final_l2"],
              fixture + " " + optimizer + " final weight norms");
}

// What batch norms remember, and evaluate with: see make_resnet.py, and the
// fixture's README.md.
class BatchNormParityTest : public testing::TestWithParam<std::string> {
 protected:
  void ExpectEvaluation(const ReferenceTrainer& trainer,
                        const json& expected) const {
    Comparison losses("evaluation losses");
    for (size_t i = 0; i < inputs_.size(); ++i) {
      losses.Expect(Mean(trainer.Evaluate(inputs_[i])), expected[i]);
    }
  }

  // Element by element.
  static void ExpectRunning(const ReferenceTrainer& trainer,
                            const json& expected) {
    size_t tensors = 0;
    for (size_t i = 0; i < trainer.parameters().size(); ++i) {
      const ParameterBlock& block = trainer.table().parameter_blocks[i];
      const Tensors views = TensorViews(block, trainer.parameters()[i]);
      for (size_t j = 0; j < views.size(); ++j) {
        const TensorEntry& tensor = block.tensors[j];
        if (tensor.use == TensorUse::kParameter) continue;
        ++tensors;
        const json& wanted = expected.at(tensor.name);
        if (tensor.use == TensorUse::kCount) {
          EXPECT_EQ(views[j].item<float>(), wanted.get<float>());
          continue;
        }
        double largest = 0;
        for (const json& number : wanted) {
          largest = std::max(largest, std::abs(number.get<double>()));
        }
        ASSERT_EQ(views[j].numel(), wanted.size());
        for (int64_t k = 0; k < views[j].numel(); ++k) {
          EXPECT_NEAR(views[j][k].item<double>(), wanted[k].get<double>(),
                      kTolerance * largest)
              << tensor.name << " " << k;
        }
      }
    }
    EXPECT_EQ(tensors, expected.size());
  }

  const json expected_ = [] {
    std::ifstream file(DirectoryOf("resnet") + "/statistics.json");
    return json::parse(file);
  }();
  const std::vector<ReferenceBatch> inputs_ = ReadInputs("resnet");
};

INSTANTIATE_TEST_SUITE_P(All, BatchNormParityTest,
                         testing::Values("sgd", "adamw"),
                         [](const testing::TestParamInfo<std::string>& info) {
                           return info.param;
                         });

TEST_P(BatchNormParityTest, TwentyStepsOfTwoMicroBatches) {
  const json& run = expected_["runs"][GetParam()];
  ReferenceTrainer trainer =
      MakeTrainer("resnet", TrainSpecOf(GetParam(), run["optimizer"]));
  ExpectEvaluation(trainer, expected_["initial_evaluation_loss_per_batch"]);
  Comparison losses(GetParam() + " losses");
  ASSERT_EQ(run["loss"].size(), 20);
  for (size_t step = 0; step < run["loss"].size(); ++step) {
    const auto batch = [&](size_t i) {
      return inputs_[(2 * step + i) % inputs_.size()];
    };
    losses.Expect(Mean(trainer.Step({batch(0), batch(1)})), run["loss"][step]);
  }
  ExpectRunning(trainer, run["running"]);
  ExpectEvaluation(trainer, run["evaluation_loss_per_batch"]);
}

// See make_training.py, and the fixture's README.md.
json TrainingCase(const std::string& fixture, const std::string& name) {
  std::ifstream file(DirectoryOf(fixture) + "/training.json");
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
  const json run = TrainingCase("gpt2", "lion");
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

TEST(AdafactorParityTest, TwentySteps) {
  const json run = TrainingCase("llama3", "adafactor");
  ReferenceTrainer trainer =
      MakeTrainer("llama3", TrainSpecOf("adafactor", run["optimizer"]));
  ExpectLosses(run, ReadInputs("llama3"), "adafactor", trainer);
  ExpectNorms(trainer.table(), trainer.parameters(), run["final_l2"],
              "adafactor final weight norms");
}

TEST(LabelSmoothingParityTest, TwentyStepsOfTransformersTrainer) {
  const json run = TrainingCase("gpt2", "smoothed");
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

// See make_masters.py. The parameter: the optimizer.
class MastersParityTest : public testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(All, MastersParityTest,
                         testing::Values("sgd_momentum", "adamw"),
                         [](const testing::TestParamInfo<std::string>& info) {
                           return info.param;
                         });

TEST_P(MastersParityTest, StepsOfPyTorchsOptimizersOnMasters) {
  std::ifstream file(DirectoryOf("gpt2") + "/masters.json");
  const json run = json::parse(file)["runs"][GetParam()];
  ModelOverrides overrides;
  overrides.trained_type = ElementType::kBFloat16;
  ReferenceTrainer trainer =
      MakeTrainer("gpt2", TrainSpecOf(GetParam(), run["optimizer"]), overrides);
  const std::vector<ReferenceBatch> inputs = ReadInputs("gpt2");
  Comparison losses("masters' losses");
  ASSERT_EQ(run["loss"].size(), 8);
  for (size_t step = 0; step < run["loss"].size(); ++step) {
    losses.Expect(Mean(trainer.Step({inputs[step % inputs.size()]})),
                  run["loss"][step]);
  }
  Comparison after("masters' losses after the last step");
  for (size_t i = 0; i < inputs.size(); ++i) {
    after.Expect(Mean(trainer.Evaluate(inputs[i])),
                 run["loss_after_per_batch"][i]);
  }
  ExpectNorms(trainer.table(), trainer.parameters(), run["final_l2"],
              "masters' final norms");
  // Of the checkpoint's own numbers, the first loss is another one.
  ReferenceTrainer plain =
      MakeTrainer("gpt2", TrainSpecOf(GetParam(), run["optimizer"]));
  EXPECT_GT(
      std::abs(Mean(plain.Evaluate(inputs[0])) / run["loss"][0].get<double>() -
               1),
      2 * kTolerance);
}

// See make_half.py. The parameters: fixture and optimizer.
class HalfParityTest
    : public testing::TestWithParam<std::tuple<std::string, std::string>> {};

INSTANTIATE_TEST_SUITE_P(
    All, HalfParityTest,
    testing::Combine(testing::Values("gpt2", "llama3"),
                     testing::Values("sgd_momentum", "adamw")),
    [](const testing::TestParamInfo<std::tuple<std::string, std::string>>&
           info) {
      return std::get<0>(info.param) + "_" + std::get<1>(info.param);
    });

TEST_P(HalfParityTest, FortyStepsOfGradScaler) {
  const auto& [fixture, optimizer] = GetParam();
  std::ifstream file(DirectoryOf(fixture) + "/half.json");
  const json half = json::parse(file);
  const json& run = half["runs"][optimizer];
  hydra::v1::TrainSpec train = TrainSpecOf(optimizer, run["optimizer"]);
  train.set_fp16(true);
  train.set_loss_scale(half["scaler"]["init_scale"]);
  train.set_loss_scale_growth_interval(half["scaler"]["growth_interval"]);
  ModelOverrides overrides;
  overrides.product_type = ElementType::kFloat16;
  ReferenceTrainer trainer = MakeTrainer(fixture, train, overrides);
  const std::vector<ReferenceBatch> inputs = ReadInputs(fixture);

  // Rounding errors decide on which side of a float16's half a number falls,
  // and what follows differs by that.
  constexpr double kRounded = 2e-4;
  // Which rounds what lies between linear maps, too.
  constexpr double kAutocast = 5e-4;
  Comparison rounded(fixture + " " + optimizer + ", float16's losses");
  Comparison autocast(fixture + " " + optimizer + ", autocast's losses");
  int overflows = 0;
  ASSERT_EQ(run["rounded"]["loss"].size(), 40);
  for (size_t step = 0; step < run["rounded"]["loss"].size(); ++step) {
    const std::string where = "of step " + std::to_string(step);
    EXPECT_EQ(trainer.loss_scale(), run["rounded"]["scale"][step]) << where;
    EXPECT_EQ(trainer.loss_scale(), run["autocast"]["scale"][step]) << where;
    const double scale = trainer.loss_scale();
    const double loss = Mean(trainer.Step({inputs[step % inputs.size()]}));
    rounded.Expect(loss, run["rounded"]["loss"][step], where, kRounded);
    autocast.Expect(loss, run["autocast"]["loss"][step], where, kAutocast);
    overflows += trainer.loss_scale() < scale;
  }
  EXPECT_EQ(trainer.loss_scale(), run["rounded"]["final_scale"]);
  EXPECT_GT(overflows, 20);

  Comparison norms(fixture + " " + optimizer + ", float16's final norms");
  for (size_t i = 0; i < trainer.parameters().size(); ++i) {
    const ParameterBlock& block = trainer.table().parameter_blocks[i];
    const std::vector<at::Tensor> views =
        TensorViews(block, trainer.parameters()[i]);
    for (size_t j = 0; j < views.size(); ++j) {
      const std::string& name = block.tensors[j].name;
      if (absl::EndsWith(name, "attn.c_attn.bias")) continue;
      norms.Expect(views[j].to(at::kDouble).norm().item<double>(),
                   run["rounded"]["final_l2"].at(name), name, kRounded);
    }
  }
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

// The files that a job with output.merge_adapters writes.
TEST_P(LoraParityTest, MergedWeightsAreThoseOfPeft) {
  const json expected = Expected()["merged"];
  const ReferenceTrainer adapted = MakeAdapted({});
  const ScratchDirectory folder;
  ModelContents contents;
  contents.directory = folder.path();
  contents.table = adapted.table();
  contents.merge_adapters = true;
  contents.config_json = ReadFile(directory_ + "/config.json");
  for (size_t i = 0; i < adapted.parameters().size(); ++i) {
    contents.blocks.push_back(
        {ParametersKey(static_cast<int>(i)),
         contents.table.parameter_blocks[i].size_bytes,
         static_cast<const std::byte*>(adapted.parameters()[i].data_ptr())});
  }
  const absl::Status written = WriteModelFiles(
      contents, {}, *HeldDirectory::Open(folder.path()),
      [](size_t) { return true; }, /*sums=*/nullptr);
  ASSERT_TRUE(written.ok()) << written;

  const absl::StatusOr<ModelTable> table = ReadTable(folder.path(), {});
  ASSERT_TRUE(table.ok()) << table.status();
  ReferenceTrainer plain(*table, {});
  const absl::Status loaded =
      LoadWeights(folder.path(), *table, plain.parameters());
  ASSERT_TRUE(loaded.ok()) << loaded;
  Comparison squares("merged weights");
  for (size_t i = 0; i < plain.parameters().size(); ++i) {
    const ParameterBlock& block = table->parameter_blocks[i];
    const Tensors views = TensorViews(block, plain.parameters()[i]);
    for (size_t j = 0; j < views.size(); ++j) {
      const std::string& name = block.tensors[j].name;
      const json sums = expected["weights"].at(name);
      const at::Tensor of_each = views[j].to(at::kDouble).flatten().square();
      const int64_t count = of_each.numel();
      double sum = 0;
      double weighted = 0;
      for (int64_t k = 0; k < count; ++k) {
        const double square = of_each.data_ptr<double>()[k];
        sum += square;
        weighted += square * (1 + static_cast<double>(k) / count);
      }
      if (sums[0] == 0.0) {
        EXPECT_EQ(sum, 0) << name;
        continue;
      }
      squares.Expect(sum, sums[0], name);
      squares.Expect(weighted, sums[1], name);
    }
  }
  const std::vector<ReferenceBatch> inputs =
      ReadInputs(std::get<0>(GetParam()));
  Comparison losses("losses of the merged model");
  for (size_t i = 0; i < inputs.size(); ++i) {
    const double loss = Mean(plain.Evaluate(inputs[i]));
    losses.Expect(loss, expected["loss_per_batch"][i]);
    losses.Expect(loss, Mean(adapted.Evaluate(inputs[i])), "with adapters");
  }
}

}  // namespace
}  // namespace hydra
