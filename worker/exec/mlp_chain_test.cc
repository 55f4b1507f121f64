// A family that Hydra does not know goes through the passes as they stand, with
// nothing but its description and its ops, and learns what plain LibTorch
// learns.

#include <cstdint>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "ATen/ATen.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "c10/core/GradMode.h"
#include "common/data/batch_plan.h"
#include "gtest/gtest.h"
#include "worker/device/testing/test_device.h"
#include "worker/exec/task_runner.h"
#include "worker/exec/testing/mlp_model.h"
#include "worker/exec/testing/tiny_job.h"
#include "worker/model/block_views.h"
#include "worker/model/testing/layer_contract.h"

namespace hydra {
namespace {

using worker::v1::BLOCK_KIND_PARAMETERS;

constexpr int64_t kPlenty = int64_t{32} << 20;
constexpr int kSteps = 4;

TinyJob::Options MlpOptions(int micro_batches, int micro_batches_per_round) {
  TinyJob::Options options;
  options.micro_batches = micro_batches;
  options.micro_batches_per_round = micro_batches_per_round;
  options.optimizer = hydra::v1::OPTIMIZER_SGD;
  options.momentum = 0.9;
  options.config_json = kMlpConfig;
  options.architectures = MlpArchitectures();
  return options;
}

// A job, and what trains it.
struct MlpJob {
  explicit MlpJob(int micro_batches, int64_t limit_bytes = kPlenty,
                  int micro_batches_per_round = 0)
      : job(MlpOptions(micro_batches, micro_batches_per_round),
            testing::TempDir()),
        device(NewTestDevice(limit_bytes)),
        runner(device.get(), job.pool().AsHostRange(), MlpArchitectures()) {}

  // Copies of the blocks' parameters, each flat.
  Tensors Parameters() {
    Tensors flats;
    for (int block = 0; block < job.table().parameter_blocks.size(); ++block) {
      const absl::Span<float> slot = job.Slot(BLOCK_KIND_PARAMETERS, block);
      flats.push_back(
          at::tensor(at::ArrayRef<float>(slot.data(), slot.size())));
    }
    return flats;
  }

  TinyJob job;
  std::unique_ptr<Device> device;
  TaskRunner runner;
};

struct Outcome {
  // Of each step.
  std::vector<double> losses;
  double validation_loss = 0;
  Tensors parameters;
};

void ExpectSameBits(const Outcome& actual, const Outcome& expected) {
  EXPECT_EQ(actual.losses, expected.losses);
  EXPECT_EQ(actual.validation_loss, expected.validation_loss);
  ASSERT_EQ(actual.parameters.size(), expected.parameters.size());
  for (size_t i = 0; i < actual.parameters.size(); ++i) {
    EXPECT_TRUE(actual.parameters[i].equal(expected.parameters[i]))
        << "block " << i;
  }
}

void ExpectClose(const Outcome& actual, const Outcome& expected) {
  for (int i = 0; i < kSteps; ++i) {
    EXPECT_NEAR(actual.losses[i], expected.losses[i], 1e-6);
  }
  for (size_t i = 0; i < actual.parameters.size(); ++i) {
    EXPECT_TRUE(at::allclose(actual.parameters[i], expected.parameters[i],
                             /*rtol=*/1e-5, /*atol=*/1e-6))
        << "block " << i;
  }
}

Outcome Train(MlpJob& mlp, const std::vector<int>& cuts) {
  mlp.job.SetCuts(cuts);
  mlp.job.Prepare();
  mlp.job.Init(mlp.runner);
  Outcome outcome;
  for (int i = 0; i < kSteps; ++i) {
    outcome.losses.push_back(mlp.job.Step(mlp.runner));
  }
  outcome.validation_loss =
      mlp.job.Evaluate(mlp.runner, worker::v1::SPLIT_VALIDATION);
  outcome.parameters = mlp.Parameters();
  return outcome;
}

Outcome Train(int micro_batches, const std::vector<int>& cuts,
              int micro_batches_per_round = 0) {
  MlpJob mlp(micro_batches, kPlenty, micro_batches_per_round);
  return Train(mlp, cuts);
}

at::Tensor PlainAffine(const at::Tensor& input, const Tensors& parameters) {
  return at::matmul(input, parameters[0]) + parameters[1];
}

// One layer in plain operations, as LayerCase::plain.
Tensors PlainLayer(int layer, const Tensors& parameters, const Tensors& inputs,
                   const MicroBatch& batch) {
  if (layer == 0) {
    const at::Tensor ids = batch.Inputs();
    const at::Tensor multiples =
        (ids + 1).unsqueeze(-1) * at::arange(1, 17, at::kLong);
    return {multiples.remainder(11).to(at::kFloat) / 11, ids};
  }
  if (layer < kMlpLayers - 1) {
    const double sharpness = layer == 2 ? 0.5 : 1;
    return {at::tanh(PlainAffine(inputs[0], parameters) * sharpness),
            inputs[1]};
  }
  const at::Tensor guess = PlainAffine(inputs[0], parameters).squeeze(-1) +
                           inputs[1].to(at::kFloat) / 97;
  return {(guess - batch.Targets().to(at::kFloat) / 97).square().sum()};
}

at::Tensor TokensOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(file), {});
  std::vector<int64_t> tokens;
  for (size_t i = 0; i + 1 < bytes.size(); i += 2) {
    tokens.push_back(static_cast<uint8_t>(bytes[i]) |
                     static_cast<uint8_t>(bytes[i + 1]) << 8);
  }
  return at::tensor(tokens);
}

// The same training in one piece: a loop over one graph of the whole model, its
// parameters in memory of their own. It begins with the same random parameters
// and sees the same windows of the same data.
class PlainTraining {
 public:
  explicit PlainTraining(int micro_batches) : mlp_(micro_batches) {
    mlp_.job.Prepare();
    mlp_.job.Init(mlp_.runner);
    for (const at::Tensor& flat : mlp_.Parameters()) {
      flats_.push_back(flat.requires_grad_());
      momenta_.push_back(at::zeros_like(flat));
    }
  }

  Outcome Run() {
    const hydra::v1::DataSpec& data = mlp_.job.context().spec().data();
    const at::Tensor tokens = TokensOf(data.train_files(0));
    const int batch_size = train_.per_device_train_batch_size() *
                           train_.gradient_accumulation_steps();
    BatchOrder order =
        BatchOrder::Create(WindowCount(tokens.numel(), train_.context_length()),
                           batch_size, train_.seed())
            .value();
    Outcome outcome;
    for (int step = 0; step < kSteps; ++step) {
      outcome.losses.push_back(Step(tokens, order.WindowsOfStep(step)));
    }
    outcome.validation_loss = Evaluate(TokensOf(data.validation_files(0)));
    for (const at::Tensor& flat : flats_) {
      outcome.parameters.push_back(flat.detach());
    }
    return outcome;
  }

 private:
  double Step(const at::Tensor& tokens, const std::vector<int64_t>& windows) {
    const int micro_batches = train_.gradient_accumulation_steps();
    const int64_t targets =
        static_cast<int64_t>(windows.size()) * train_.context_length();
    double loss_sum = 0;
    for (int i = 0; i < micro_batches; ++i) {
      const at::Tensor loss =
          Loss(tokens, MicroBatchWindows(windows, i, micro_batches));
      (loss * (1.0 / static_cast<double>(targets))).backward();
      loss_sum += loss.item<double>();
    }
    const at::NoGradGuard no_grad;
    for (size_t i = 0; i < flats_.size(); ++i) {
      const at::Tensor gradient =
          flats_[i].grad() + flats_[i] * train_.weight_decay();
      momenta_[i] = momenta_[i] * train_.momentum() + gradient;
      flats_[i].sub_(momenta_[i] * train_.learning_rate());
      flats_[i].mutable_grad() = at::Tensor();
    }
    return loss_sum / static_cast<double>(targets);
  }

  double Evaluate(const at::Tensor& tokens) {
    const at::NoGradGuard no_grad;
    const int64_t windows =
        WindowCount(tokens.numel(), train_.context_length());
    const int64_t batch_size =
        mlp_.job.context().spec().evaluation().per_device_eval_batch_size();
    double loss_sum = 0;
    for (int64_t i = 0; i < EvaluationBatchCount(windows, batch_size); ++i) {
      const WindowRange range = EvaluationBatch(windows, batch_size, i);
      std::vector<int64_t> batch;
      for (int64_t w = 0; w < range.count; ++w)
        batch.push_back(range.first + w);
      loss_sum += Loss(tokens, batch).item<double>();
    }
    return loss_sum / static_cast<double>(windows * train_.context_length());
  }

  // Sum of the losses of the windows' targets.
  at::Tensor Loss(const at::Tensor& tokens,
                  absl::Span<const int64_t> windows) const {
    const int64_t context = train_.context_length();
    Tensors rows;
    for (int64_t window : windows) {
      rows.push_back(tokens.narrow(0, window * context, context + 1));
    }
    MicroBatch batch;
    batch.tokens = at::stack(rows);
    const ModelTable& table = mlp_.job.table();
    Tensors boundary;
    for (int layer = 0; layer < table.layer_count(); ++layer) {
      Tensors parameters;
      for (int block : table.layers[layer].parameter_blocks) {
        const Tensors views =
            TensorViews(table.parameter_blocks[block], flats_[block]);
        parameters.insert(parameters.end(), views.begin(), views.end());
      }
      boundary = PlainLayer(layer, parameters, boundary, batch);
    }
    return boundary.front();
  }

  MlpJob mlp_;
  const hydra::v1::TrainSpec& train_ = mlp_.job.context().spec().train();
  Tensors flats_;
  Tensors momenta_;
};

TEST(MlpChainTest, LearnsWhatPlainLibTorchLearnsBitForBit) {
  const Outcome plain = PlainTraining(1).Run();
  ExpectSameBits(Train(1, {}), plain);
  ExpectSameBits(Train(1, {2}), plain);
  ExpectSameBits(Train(1, {1, 2, 3, 4}), plain);
  EXPECT_LT(plain.losses.back(), plain.losses.front());
}

// The parts of the tied block's gradient are added in another order.
TEST(MlpChainTest, AccumulatesWhatPlainLibTorchAccumulates) {
  const Outcome whole = Train(3, {});
  ExpectClose(whole, PlainTraining(3).Run());
  ExpectSameBits(Train(3, {2}), whole);
  ExpectSameBits(Train(3, {1, 2, 3, 4}), whole);
}

// Each of the tied block's layers has a sum of its own between the rounds.
TEST(MlpChainTest, AccumulatesTheSameInRounds) {
  const Outcome whole = Train(5, {});
  for (const std::vector<int>& cuts : {std::vector<int>{}, {2}, {1, 2, 3, 4}}) {
    ExpectSameBits(Train(5, cuts, /*micro_batches_per_round=*/2), whole);
  }
}

TEST(MlpChainTest, IsSpilledWhereThePilotCutsItForASmallDevice) {
  MlpJob mlp(1, /*limit_bytes=*/200 << 10);
  const worker::v1::TaskReport report = mlp.job.Pilot(mlp.runner);
  ASSERT_TRUE(report.has_pilot()) << report.ShortDebugString();
  const worker::v1::PilotResult& pilot = report.pilot();
  EXPECT_GE(pilot.cut_points_size(), 2);
  ASSERT_EQ(pilot.layers_size(), kMlpLayers);
  EXPECT_EQ(pilot.layers(0).kind(), "features");
  EXPECT_EQ(pilot.layers(kMlpLayers - 1).kind(), "error");

  ExpectSameBits(
      Train(mlp, {pilot.cut_points().begin(), pilot.cut_points().end()}),
      PlainTraining(1).Run());
}

std::vector<LayerCase> Cases() {
  std::vector<LayerCase> cases;
  for (int layer = 0; layer < kMlpLayers; ++layer) {
    LayerCase layer_case;
    layer_case.table = MlpTable();
    layer_case.layer = layer;
    layer_case.name = absl::StrCat(layer, layer_case.table.layers[layer].kind);
    layer_case.registry = MlpArchitectures().layers;
    layer_case.plain = [layer](const Tensors& parameters, const Tensors& inputs,
                               const MicroBatch& batch) {
      return PlainLayer(layer, parameters, inputs, batch);
    };
    cases.push_back(layer_case);
    cases.push_back(FrozenInPart(
        layer_case, "", {"widen.bias", "narrow.weight", "guess.bias"}));
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Mlp, LayerContractTest, testing::ValuesIn(Cases()),
                         LayerCaseName);

}  // namespace
}  // namespace hydra
