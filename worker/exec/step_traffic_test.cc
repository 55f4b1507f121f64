// What the tasks of a step move is what is predicted of it.

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/chain/kind_bytes.h"
#include "common/chain/step_bytes.h"
#include "gtest/gtest.h"
#include "worker/device/testing/test_device.h"
#include "worker/exec/task_runner.h"
#include "worker/exec/testing/tiny_job.h"

namespace hydra {
namespace {

using hydra::v1::KindBytes;
using hydra::v1::UPDATE_PLACE_DEVICE;
using hydra::v1::UPDATE_PLACE_HOST;

constexpr int64_t kPlenty = int64_t{32} << 20;

// What the second step moves: the first one's optimizer state is zero. What the
// device still has counts as moved.
void ExpectAsPredicted(const TinyJob::Options& options,
                       const std::vector<int>& cuts) {
  TinyJob job(options, testing::TempDir());
  const std::unique_ptr<Device> device = NewTestDevice(kPlenty);
  TaskRunner runner(device.get(), job.pool().AsHostRange());
  job.SetCuts(cuts);
  job.Prepare();
  job.Init(runner);
  job.Step(runner);
  KindBytes in, out;
  hydra::v1::UpdatePlace updates = hydra::v1::UPDATE_PLACE_UNSPECIFIED;
  for (const worker::v1::TaskReport& report : job.StepReports(runner)) {
    AddBytes(report.cost().promoted(), in);
    AddBytes(report.cost().cached(), in);
    AddBytes(report.cost().demoted(), out);
    updates = report.cost().updates();
  }
  ASSERT_TRUE(updates == UPDATE_PLACE_HOST || updates == UPDATE_PLACE_DEVICE);
  const StepBytes predicted = PredictStepBytes(job.shape(), updates);
  EXPECT_EQ(in.ShortDebugString(), predicted.promoted.ShortDebugString());
  EXPECT_EQ(out.ShortDebugString(), predicted.demoted.ShortDebugString());
}

TEST(StepTrafficTest, IsAsPredicted) {
  for (const hydra::v1::Optimizer optimizer :
       {hydra::v1::OPTIMIZER_ADAMW, hydra::v1::OPTIMIZER_SGD}) {
    for (const hydra::v1::UpdatePlace place :
         {UPDATE_PLACE_HOST, UPDATE_PLACE_DEVICE}) {
      for (const bool tied : {true, false}) {
        for (const std::vector<int>& cuts :
             std::vector<std::vector<int>>{{}, {2}, {1, 2, 3, 4}}) {
          SCOPED_TRACE(absl::StrCat(hydra::v1::Optimizer_Name(optimizer), " ",
                                    hydra::v1::UpdatePlace_Name(place), " ",
                                    tied ? "tied " : "", cuts.size(), " cuts"));
          TinyJob::Options options;
          options.optimizer = optimizer;
          options.update_place = place;
          options.tied = tied;
          options.micro_batches = 2;
          ExpectAsPredicted(options, cuts);
        }
      }
    }
  }
}

TEST(StepTrafficTest, IsAsPredictedWhereGradientsWait) {
  for (const bool tied : {true, false}) {
    for (const std::vector<int>& cuts :
         std::vector<std::vector<int>>{{}, {2}, {1, 2, 3, 4}}) {
      SCOPED_TRACE(absl::StrCat(tied ? "tied " : "", cuts.size(), " cuts"));
      TinyJob::Options options;
      options.max_grad_norm = 1;
      options.tied = tied;
      options.micro_batches = 2;
      ExpectAsPredicted(options, cuts);
    }
  }
}

TEST(StepTrafficTest, IsAsPredictedOfFrozenBlocks) {
  for (const hydra::v1::UpdatePlace place :
       {UPDATE_PLACE_HOST, UPDATE_PLACE_DEVICE}) {
    for (const double max_grad_norm : {0, 1}) {
      for (const int per_round : {0, 2}) {
        for (const std::vector<int>& cuts :
             std::vector<std::vector<int>>{{}, {2}, {1, 2, 3, 4}}) {
          SCOPED_TRACE(absl::StrCat(hydra::v1::UpdatePlace_Name(place), " ",
                                    max_grad_norm, " ", per_round, " ",
                                    cuts.size(), " cuts"));
          TinyJob::Options options;
          options.update_place = place;
          options.max_grad_norm = max_grad_norm;
          options.micro_batches = 3;
          options.micro_batches_per_round = per_round;
          options.lora.emplace().set_r(4);
          ExpectAsPredicted(options, cuts);
          options.lora.reset();
          options.frozen = {"*.w?e.*", "*.h.0.*"};
          ExpectAsPredicted(options, cuts);
        }
      }
    }
  }
}

TEST(StepTrafficTest, IsAsPredictedOfMasters) {
  for (const hydra::v1::Optimizer optimizer :
       {hydra::v1::OPTIMIZER_ADAMW, hydra::v1::OPTIMIZER_SGD}) {
    for (const hydra::v1::UpdatePlace place :
         {UPDATE_PLACE_HOST, UPDATE_PLACE_DEVICE}) {
      for (const double max_grad_norm : {0, 1}) {
        for (const int per_round : {0, 2}) {
          for (const bool tied : {true, false}) {
            for (const std::vector<int>& cuts :
                 std::vector<std::vector<int>>{{}, {2}, {1, 2, 3, 4}}) {
              SCOPED_TRACE(absl::StrCat(
                  hydra::v1::Optimizer_Name(optimizer), " ",
                  hydra::v1::UpdatePlace_Name(place), " ", max_grad_norm, " ",
                  per_round, tied ? " tied " : " ", cuts.size(), " cuts"));
              TinyJob::Options options;
              options.trained_dtype = hydra::v1::PARAMETER_TYPE_BFLOAT16;
              options.optimizer = optimizer;
              options.update_place = place;
              options.max_grad_norm = max_grad_norm;
              options.tied = tied;
              options.micro_batches = 3;
              options.micro_batches_per_round = per_round;
              ExpectAsPredicted(options, cuts);
            }
          }
        }
      }
    }
  }
}

TEST(StepTrafficTest, IsAsPredictedInRounds) {
  for (const hydra::v1::UpdatePlace place :
       {UPDATE_PLACE_HOST, UPDATE_PLACE_DEVICE}) {
    for (const double max_grad_norm : {0, 1}) {
      for (const bool tied : {true, false}) {
        for (const std::vector<int>& cuts :
             std::vector<std::vector<int>>{{}, {2}, {1, 2, 3, 4}}) {
          SCOPED_TRACE(absl::StrCat(hydra::v1::UpdatePlace_Name(place), " ",
                                    max_grad_norm, tied ? " tied " : " ",
                                    cuts.size(), " cuts"));
          TinyJob::Options options;
          options.update_place = place;
          options.max_grad_norm = max_grad_norm;
          options.tied = tied;
          options.micro_batches = 5;
          options.micro_batches_per_round = 2;
          ExpectAsPredicted(options, cuts);
        }
      }
    }
  }
}

}  // namespace
}  // namespace hydra
