// Passes over a ResNet, whose batch norms remember what they saw: the same bits
// however it is cut, wherever it is updated, and a pilot that cuts it.

#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/model/describe.h"
#include "common/model/model_table.h"
#include "gtest/gtest.h"
#include "worker/device/testing/test_device.h"
#include "worker/exec/task_runner.h"
#include "worker/exec/testing/tiny_job.h"
#include "worker/exec/testing/tiny_training.h"

namespace hydra {
namespace {

using hydra::v1::UPDATE_PLACE_DEVICE;
using hydra::v1::UPDATE_PLACE_HOST;
using worker::v1::BLOCK_KIND_PARAMETERS;
using worker::v1::TaskReport;

constexpr int64_t kPlenty = int64_t{32} << 20;

// Five layers: embedder, three residual ones, head.
constexpr char kConfig[] = R"({
  "model_type": "resnet", "image_size": [12, 19], "num_channels": 2,
  "embedding_size": 8, "hidden_sizes": [8, 12], "depths": [1, 2],
  "layer_type": "basic", "num_labels": 5})";
constexpr int kLayers = 5;

TinyJob::Options Options() {
  TinyJob::Options options;
  options.config_json = kConfig;
  options.context = 1;
  options.micro_batches = 3;
  return options;
}

TinyOutcome Train(const TinyJob::Options& options, const std::vector<int>& cuts,
                  bool overlapped = false) {
  const auto device = NewTestDevice(kPlenty);
  return TrainTiny(options, cuts, device.get(), overlapped);
}

TEST(ResnetChainTest, EveryPartitionGivesTheSameBits) {
  for (hydra::v1::Optimizer optimizer :
       {hydra::v1::OPTIMIZER_ADAMW, hydra::v1::OPTIMIZER_SGD,
        hydra::v1::OPTIMIZER_ADAFACTOR}) {
    for (double max_grad_norm : {0.0, 0.01}) {
      SCOPED_TRACE(testing::Message() << optimizer << " " << max_grad_norm);
      TinyJob::Options options = Options();
      options.optimizer = optimizer;
      options.max_grad_norm = max_grad_norm;
      const TinyOutcome whole = Train(options, {});
      EXPECT_NE(whole.losses[0], whole.losses[1]);
      ExpectSame(Train(options, {2}), whole);
      ExpectSame(Train(options, {1, 3}, /*overlapped=*/true), whole);
      ExpectSame(Train(options, {1, 2, 3, 4}), whole);
    }
  }
}

TEST(ResnetChainTest, ThePlaceOfUpdatesDoesNotChangeABit) {
  for (hydra::v1::Optimizer optimizer :
       {hydra::v1::OPTIMIZER_ADAM, hydra::v1::OPTIMIZER_LION}) {
    TinyJob::Options options = Options();
    options.optimizer = optimizer;
    options.update_place = UPDATE_PLACE_HOST;
    const TinyOutcome on_host = Train(options, {2});
    options.update_place = UPDATE_PLACE_DEVICE;
    ExpectSame(Train(options, {2}), on_host);
    ExpectSame(Train(options, {2}, /*overlapped=*/true), on_host);
  }
}

TEST(ResnetChainTest, RoundsGiveTheSameBits) {
  for (double max_grad_norm : {0.0, 0.01}) {
    TinyJob::Options options = Options();
    options.max_grad_norm = max_grad_norm;
    const TinyOutcome whole = Train(options, {2});
    for (int micro_batches : {1, 2}) {
      options.micro_batches_per_round = micro_batches;
      ExpectSame(Train(options, {2}), whole);
    }
  }
}

TEST(ResnetChainTest, SoDoLayersThatAreFrozenInPart) {
  for (const char* pattern : {"*.normalization.weight", "*.normalization.*",
                              "*.convolution.weight"}) {
    SCOPED_TRACE(pattern);
    TinyJob::Options options = Options();
    options.frozen = {pattern};
    options.max_grad_norm = 0.01;
    options.update_place = UPDATE_PLACE_HOST;
    const TinyOutcome whole = Train(options, {});
    EXPECT_NE(whole.losses[0], whole.losses[1]);
    ExpectSame(Train(options, {1, 2, 3, 4}, /*overlapped=*/true), whole);
    options.micro_batches_per_round = 1;
    ExpectSame(Train(options, {2}), whole);
    options.update_place = UPDATE_PLACE_DEVICE;
    ExpectSame(Train(options, {2}), whole);
  }
}

TEST(ResnetChainTest, FrozenLayersRememberNothingNew) {
  TinyJob::Options options = Options();
  options.frozen = {"resnet.embedder.*", "resnet.encoder.stages.1.layers.0.*"};
  const TinyOutcome whole = Train(options, {});
  EXPECT_NE(whole.losses[0], whole.losses[1]);
  ExpectSame(Train(options, {1, 2, 3, 4}), whole);
}

// The block's tensors that are no parameters, one behind the other; those of
// which there is one number are counts.
class Remembered {
 public:
  explicit Remembered(const TinyJob::Options& options)
      : job_(options, testing::TempDir()),
        device_(NewTestDevice(kPlenty)),
        runner_(device_.get(), job_.pool().AsHostRange()) {
    job_.Prepare();
    job_.Init(runner_);
  }

  TinyJob& job() { return job_; }
  void Step() {
    job_.Step(runner_);
    job_.Finish();
  }

  std::vector<float> Of(int block, TensorUse use) {
    const absl::Span<float> slot = job_.Slot(BLOCK_KIND_PARAMETERS, block);
    std::vector<float> numbers;
    for (const TensorEntry& tensor : table_.parameter_blocks[block].tensors) {
      if (tensor.use != use) continue;
      const auto part =
          slot.subspan(tensor.offset_bytes / kFloatBytes, tensor.element_count);
      numbers.insert(numbers.end(), part.begin(), part.end());
    }
    return numbers;
  }

 private:
  const ModelTable table_ = Describe(kConfig, {}).value();
  TinyJob job_;
  const std::unique_ptr<Device> device_;
  TaskRunner runner_;
};

TEST(ResnetChainTest, EachMicroBatchIsRememberedOnce) {
  TinyJob::Options options = Options();
  for (int per_round : {0, 1, 2}) {
    options.micro_batches_per_round = per_round;
    // One whose update is of whole tensors.
    if (per_round == 2) options.optimizer = hydra::v1::OPTIMIZER_ADAFACTOR;
    Remembered remembered(options);
    std::vector<std::vector<float>> before;
    for (int block = 0; block + 1 < kLayers; ++block) {
      before.push_back(remembered.Of(block, TensorUse::kStatistic));
    }
    for (float count : {3.0f, 6.0f}) {
      remembered.Step();
      for (int block = 0; block + 1 < kLayers; ++block) {
        for (float one : remembered.Of(block, TensorUse::kCount)) {
          EXPECT_EQ(one, count);
        }
        std::vector<float> after = remembered.Of(block, TensorUse::kStatistic);
        EXPECT_NE(after, before[block]);
        before[block] = std::move(after);
      }
    }
  }
}

// Its loss is no number.
TEST(ResnetChainTest, OfABadStepNothingIsRemembered) {
  for (double max_grad_norm : {0.0, 1.0}) {
    TinyJob::Options options = Options();
    options.max_grad_norm = max_grad_norm;
    Remembered remembered(options);
    for (float& number :
         remembered.job().Slot(BLOCK_KIND_PARAMETERS, kLayers - 1)) {
      number = std::numeric_limits<float>::quiet_NaN();
    }
    std::vector<std::vector<float>> before;
    for (int block = 0; block + 1 < kLayers; ++block) {
      before.push_back(remembered.Of(block, TensorUse::kStatistic));
    }
    remembered.Step();
    for (int block = 0; block + 1 < kLayers; ++block) {
      EXPECT_EQ(remembered.Of(block, TensorUse::kStatistic), before[block]);
      for (float one : remembered.Of(block, TensorUse::kCount)) {
        EXPECT_EQ(one, 0);
      }
    }
  }
}

TEST(ResnetChainTest, APilotRunsItsPasses) {
  TinyJob job(Options(), testing::TempDir());
  const auto device = NewTestDevice(kPlenty);
  TaskRunner runner(device.get(), job.pool().AsHostRange());
  job.Prepare();
  const TaskReport report = job.Pilot(runner);
  ASSERT_TRUE(report.has_pilot()) << report.DebugString();
  EXPECT_EQ(report.pilot().layers_size(), kLayers);
}

}  // namespace
}  // namespace hydra
