// Passes over an exported chain, whose layers are code of their own: the same
// bits however it is cut, however often it ran, and a pilot that runs it.

#include "worker/model/testing/exported_chain.h"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "common/file/scratch_directory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/device/testing/test_device.h"
#include "worker/exec/task_runner.h"
#include "worker/exec/testing/tiny_job.h"
#include "worker/model/architectures.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;
using worker::v1::SPLIT_VALIDATION;
using worker::v1::TaskReport;

constexpr int64_t kPlenty = int64_t{32} << 20;

struct Outcome {
  std::vector<double> losses;
  std::vector<std::byte> state;
};

void ExpectSame(const Outcome& actual, const Outcome& expected) {
  EXPECT_EQ(actual.losses, expected.losses);
  EXPECT_TRUE(actual.state == expected.state) << "parameters or state differ";
}

class ExportedChainTest : public ::testing::Test {
 protected:
  ExportedChainTest() {
    WriteExportedChain(model_.path());
    architectures_.runs_exported_chains = true;
    options_.config_json = ExportedChainJson();
    options_.model_path = model_.path();
    options_.architectures = architectures_;
    options_.context = 1;
    options_.micro_batches = 3;
  }

  // Four steps, of which the later ones run code that ran before, and an
  // evaluation.
  Outcome Train(const TinyJob::Options& options, const std::vector<int>& cuts,
                bool overlapped = false) const {
    TinyJob job(options, testing::TempDir());
    job.SetCuts(cuts);
    const auto device = NewTestDevice(kPlenty);
    TaskRunner runner(device.get(), job.pool().AsHostRange(), architectures_);
    job.Prepare();
    job.Init(runner);
    Outcome outcome;
    for (int step = 0; step < 4; ++step) {
      outcome.losses.push_back(overlapped ? job.OverlappedStep(runner)
                                          : job.Step(runner));
    }
    job.Finish();
    outcome.losses.push_back(job.Evaluate(runner, SPLIT_VALIDATION));
    outcome.state = job.State();
    return outcome;
  }

  // The first task that needs the model's layers.
  TaskReport Pilot(const Architectures& architectures) const {
    TinyJob job(options_, testing::TempDir());
    const auto device = NewTestDevice(kPlenty);
    TaskRunner runner(device.get(), job.pool().AsHostRange(), architectures);
    job.Prepare();
    return job.Pilot(runner);
  }

  ScratchDirectory model_;
  Architectures architectures_;
  TinyJob::Options options_;
};

TEST_F(ExportedChainTest, EveryPartitionGivesTheSameBits) {
  for (double max_grad_norm : {0.0, 0.01}) {
    SCOPED_TRACE(max_grad_norm);
    options_.max_grad_norm = max_grad_norm;
    const Outcome whole = Train(options_, {});
    EXPECT_NE(whole.losses[0], whole.losses[1]);
    ExpectSame(Train(options_, {2}), whole);
    ExpectSame(Train(options_, {1, 3}, /*overlapped=*/true), whole);
    ExpectSame(Train(options_, {1, 2, 3}), whole);
    ExpectSame(Train(options_, {1, 2, 3}, /*overlapped=*/true), whole);
  }
}

TEST_F(ExportedChainTest, RoundsGiveTheSameBits) {
  const Outcome whole = Train(options_, {2});
  options_.micro_batches_per_round = 1;
  ExpectSame(Train(options_, {2}), whole);
}

TEST_F(ExportedChainTest, SmoothedLabelsAreTheSameInOnePieceAndInMany) {
  const Outcome plain = Train(options_, {});
  options_.label_smoothing = 0.1;
  const Outcome whole = Train(options_, {});
  EXPECT_NE(whole.losses, plain.losses);
  ExpectSame(Train(options_, {1, 2, 3}), whole);
}

TEST_F(ExportedChainTest, FrozenLayersAreTheSameInOnePieceAndInMany) {
  options_.frozen = {"0.*", "mix.weight"};
  const Outcome whole = Train(options_, {});
  EXPECT_NE(whole.losses[0], whole.losses[1]);
  ExpectSame(Train(options_, {2}), whole);
  ExpectSame(Train(options_, {1, 2, 3}, /*overlapped=*/true), whole);
}

TEST_F(ExportedChainTest, PartsOfFrozenLayersAreTheSameInOnePieceAndInMany) {
  options_.frozen = {"0.weight", "mix.weight", "3.bias"};
  const Outcome whole = Train(options_, {});
  EXPECT_NE(whole.losses[0], whole.losses[1]);
  ExpectSame(Train(options_, {2}), whole);
  ExpectSame(Train(options_, {1, 2, 3}, /*overlapped=*/true), whole);
}

TEST_F(ExportedChainTest, APilotRunsItsPasses) {
  const TaskReport report = Pilot(architectures_);
  ASSERT_TRUE(report.has_pilot()) << report.DebugString();
  EXPECT_EQ(report.pilot().layers_size(), kExportedLayers);
}

TEST_F(ExportedChainTest, IsNotRunWhereThatIsNotAllowed) {
  const TaskReport report = Pilot(Architectures());
  ASSERT_TRUE(report.has_error()) << report.DebugString();
  EXPECT_EQ(report.error().code(),
            static_cast<int>(absl::StatusCode::kPermissionDenied));
  EXPECT_THAT(report.error().message(), HasSubstr("allow_exported_chains"));
}

TEST_F(ExportedChainTest, AFileThatChangedSinceIsRefused) {
  model_.Write(ExportedFileName(1), ExportedFile(2));
  const TaskReport report = Pilot(architectures_);
  ASSERT_TRUE(report.has_error()) << report.DebugString();
  EXPECT_EQ(report.error().code(),
            static_cast<int>(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(report.error().message(),
              HasSubstr("layer_1.pt is not the file that was exported"));
}

}  // namespace
}  // namespace hydra
