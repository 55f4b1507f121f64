#include "scheduler/core/claims.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_replace.h"
#include "scheduler/core/plan.h"
#include "scheduler/core/testing/book_job.h"
#include "scheduler/policy/sharded_lrtf.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ClaimsTest : public ::testing::Test {
 protected:
  Job& Add(uint64_t id) { return AddSmallJob(id, book_); }
  std::vector<JobId> TakeAllAwake() {
    std::vector<JobId> jobs;
    while (std::optional<JobId> job = queue_.TakeAwake()) jobs.push_back(*job);
    return jobs;
  }
  // The job's model is another one: `text` in its configuration is `other`.
  static void SetModel(const char* text, const char* other, Job& job) {
    const std::string config =
        absl::StrReplaceAll(*job.submitted.model_config_json, {{text, other}});
    ASSERT_NE(config, *job.submitted.model_config_json);
    job.shape.table = *TableOf(job.submitted.spec, config);
  }
  static v1::Partition CutBefore(int layer) {
    v1::Partition partition;
    partition.add_cut_points(layer);
    return partition;
  }

  const DeviceOptions device_{"cpu:0", 1 << 20, 1, "a processor"};
  CoreOptions options_;
  Journal journal_;
  Actions actions_;
  JobBook book_{&journal_, &actions_};
  ShardedLrtf policy_;
  JobQueue queue_{&policy_, &book_};
  Claims claims_{&options_, &queue_};
};

TEST_F(ClaimsTest, TheFirstThatAsksPreparesAndTheOthersWaitForIt) {
  Job& first = Add(1);
  Job& second = Add(2);
  EXPECT_EQ(claims_.ClaimPrepare(first), JobId(1));
  EXPECT_EQ(claims_.ClaimPrepare(second), JobId(1));
  EXPECT_EQ(second.reason, "waits for j1, which prepares the same data");
  EXPECT_EQ(claims_.Prepared(second), nullptr);
  wv1::PrepareResult result;
  result.add_warnings("a warning");
  claims_.SetPrepared(first, result);
  EXPECT_THAT(TakeAllAwake(), ElementsAre(JobId(2)));
  EXPECT_EQ(claims_.Prepared(second)->warnings(0), "a warning");
}

TEST_F(ClaimsTest, WhatAJobOfOtherDataWaitsForIsItsOwn) {
  const std::vector<std::function<void(Job&)>> differences = {
      [](Job& job) { job.sweep = SweepId(2); },
      [](Job& job) {
        job.submitted.spec.mutable_data()->add_train_files("/data/other");
      },
      [](Job& job) {
        job.submitted.spec.mutable_model()->set_tokenizer_path("/tokenizer");
      },
      [](Job& job) {
        SetModel("\"vocab_size\": 64", "\"vocab_size\": 65", job);
      },
  };
  claims_.ClaimPrepare(Add(1));
  uint64_t id = 2;
  for (const auto& make_different : differences) {
    Job& other = Add(id++);
    make_different(other);
    EXPECT_EQ(claims_.ClaimPrepare(other), other.id);
  }
  claims_.SetPrepared(book_.At(JobId(1)), {});
  EXPECT_THAT(TakeAllAwake(), IsEmpty());
  for (uint64_t other = 2; other < id; ++other) {
    EXPECT_EQ(claims_.Prepared(book_.At(JobId(other))), nullptr) << other;
  }
}

TEST_F(ClaimsTest, RowsThatAreCutElsewhereAreOtherData) {
  const auto set = [](Job& job, v1::DataFormat format, int context) {
    job.submitted.spec.mutable_data()->set_format(format);
    job.shape.context_length = context;
  };
  set(Add(1), v1::DATA_FORMAT_CHAT, 32);
  set(Add(2), v1::DATA_FORMAT_CHAT, 64);
  set(Add(3), v1::DATA_FORMAT_TEXT, 32);
  set(Add(4), v1::DATA_FORMAT_TEXT, 64);
  for (uint64_t id : {1, 2, 3}) {
    EXPECT_EQ(claims_.ClaimPrepare(book_.At(JobId(id))), JobId(id));
  }
  EXPECT_EQ(claims_.ClaimPrepare(book_.At(JobId(4))), JobId(3));
}

TEST_F(ClaimsTest, PicturesAreWhatTheModelsDirectorySaysOfThem) {
  const auto set = [](Job& job, v1::DataFormat format, const char* model) {
    job.submitted.spec.mutable_data()->set_format(format);
    job.submitted.spec.mutable_model()->set_path(model);
    job.shape.table = *TableOf(job.submitted.spec, R"({
        "model_type": "vit", "hidden_size": 4, "num_hidden_layers": 1,
        "num_attention_heads": 2, "intermediate_size": 8, "image_size": 8,
        "patch_size": 4})");
  };
  set(Add(1), v1::DATA_FORMAT_IMAGES, "/models/a");
  set(Add(2), v1::DATA_FORMAT_IMAGES, "/models/b");
  set(Add(3), v1::DATA_FORMAT_IMAGES, "/models/a");
  set(Add(4), v1::DATA_FORMAT_TENSORS, "/models/a");
  set(Add(5), v1::DATA_FORMAT_TENSORS, "/models/b");
  for (uint64_t id : {1, 2, 4}) {
    EXPECT_EQ(claims_.ClaimPrepare(book_.At(JobId(id))), JobId(id));
  }
  EXPECT_EQ(claims_.ClaimPrepare(book_.At(JobId(3))), JobId(1));
  EXPECT_EQ(claims_.ClaimPrepare(book_.At(JobId(5))), JobId(4));
}

TEST_F(ClaimsTest, AForgottenSweepIsPreparedAnew) {
  Job& job = Add(1);
  claims_.ClaimPrepare(job);
  claims_.SetPrepared(job, {});
  claims_.ForgetSweep(job.sweep);
  EXPECT_EQ(claims_.Prepared(job), nullptr);
}

TEST_F(ClaimsTest, WhatOneGivesUpAnotherOneDoes) {
  Job& first = Add(1);
  Job& second = Add(2);
  for (Job* job : {&first, &second}) {
    claims_.ClaimPrepare(*job);
    claims_.ClaimPilot(*job, device_);
  }
  // It claimed nothing that others wait for.
  claims_.Abandon(second);
  EXPECT_THAT(TakeAllAwake(), IsEmpty());
  claims_.Abandon(first);
  EXPECT_THAT(TakeAllAwake(), ElementsAre(JobId(2)));
  EXPECT_EQ(claims_.ClaimPrepare(second), JobId(2));
  EXPECT_EQ(claims_.ClaimPilot(second, device_), JobId(2));
}

TEST_F(ClaimsTest, CutPointsThatOneFoundAreKnownToAll) {
  Job& first = Add(1);
  Job& second = Add(2);
  // Of another sweep: models do not change.
  second.sweep = SweepId(2);
  EXPECT_EQ(claims_.ClaimPilot(first, device_), JobId(1));
  EXPECT_EQ(claims_.ClaimPilot(second, device_), JobId(1));
  EXPECT_EQ(second.reason, "waits for j1, which finds the same cut points");
  EXPECT_EQ(claims_.Known(second, device_), nullptr);
  claims_.SetFound(first, device_, CutBefore(2));
  EXPECT_THAT(TakeAllAwake(), ElementsAre(JobId(2)));
  EXPECT_EQ(claims_.Known(second, device_)->cut_points(0), 2);
}

TEST_F(ClaimsTest, CutPointsOfAnEarlierDaemonAreFoundByTheirKey) {
  const std::string key =
      claims_.SetFound(Add(1), device_, CutBefore(/*layer=*/3));
  CoreOptions options;
  options.partitions[key] = CutBefore(3);
  const Claims later(&options, &queue_);
  ASSERT_NE(later.Known(Add(2), device_), nullptr);
  EXPECT_EQ(later.Known(Add(2), device_)->cut_points(0), 3);
}

// Its device may have gone, and another one be the smallest.
TEST_F(ClaimsTest, AClaimEndsThoughItsPilotRanElsewhere) {
  const DeviceOptions other{"cpu:1", 2 << 20, 1, "a processor"};
  Job& first = Add(1);
  claims_.ClaimPilot(first, device_);
  claims_.SetFound(first, other, CutBefore(2));
  EXPECT_EQ(claims_.Known(first, device_), nullptr);
  EXPECT_EQ(claims_.ClaimPilot(Add(2), device_), JobId(2));
}

struct PilotCase {
  std::string name;
  std::function<void(Job&, DeviceOptions&)> change;
  bool same = false;
};

TEST_F(ClaimsTest, CutPointsHoldForWhatTheyWereMeasuredOn) {
  const std::vector<PilotCase> cases = {
      {"another job", [](Job&, DeviceOptions&) {}, true},
      {"another device of the kind",
       [](Job&, DeviceOptions& device) { device.name = "cpu:7"; }, true},
      {"other data",
       [](Job& job, DeviceOptions&) {
         job.submitted.spec.mutable_data()->add_train_files("/data/other");
       },
       true},
      {"another learning rate",
       [](Job& job, DeviceOptions&) {
         job.submitted.spec.mutable_train()->set_learning_rate(0.5);
       },
       true},
      {"another kind of device",
       [](Job&, DeviceOptions& device) { device.name = "cuda:0"; }},
      {"another machine",
       [](Job&, DeviceOptions& device) { device.model = "a new processor"; }},
      {"more threads", [](Job&, DeviceOptions& device) { ++device.threads; }},
      {"more memory",
       [](Job&, DeviceOptions& device) { device.memory_limit_bytes *= 2; }},
      {"larger micro-batches",
       [](Job& job, DeviceOptions&) { ++job.shape.micro_batch_size; }},
      {"more micro-batches",
       [](Job& job, DeviceOptions&) { ++job.shape.micro_batches; }},
      {"larger evaluation batches",
       [](Job& job, DeviceOptions&) { ++job.shape.eval_batch_size; }},
      {"a longer context",
       [](Job& job, DeviceOptions&) { ++job.shape.context_length; }},
      {"another optimizer",
       [](Job& job, DeviceOptions&) {
         job.submitted.spec.mutable_train()->set_optim(v1::OPTIMIZER_SGD);
       }},
      {"more left free",
       [](Job& job, DeviceOptions&) { job.pilot_reserve_bytes = 4096; }},
      {"another dropout",
       [](Job& job, DeviceOptions&) {
         SetModel("\"attn_pdrop\": 0.0", "\"attn_pdrop\": 0.5", job);
       }},
  };
  claims_.SetFound(Add(1), device_, CutBefore(2));
  for (const PilotCase& each : cases) {
    Job& job = Add(2);
    DeviceOptions device = device_;
    job.pilot_reserve_bytes = 0;
    each.change(job, device);
    EXPECT_EQ(claims_.Known(job, device) != nullptr, each.same) << each.name;
  }
}

}  // namespace
}  // namespace hydra
