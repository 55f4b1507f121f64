#include "scheduler/storage/metrics_thread.h"

#include <filesystem>
#include <string>
#include <vector>

#include "common/file/scratch_directory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "scheduler/journal/memory_record_store.h"
#include "scheduler/journal/record_change.h"
#include "scheduler/journal/tables.h"
#include "scheduler/storage/metrics_line.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
namespace jv1 = hydra::journal::v1;
using testing::ElementsAre;

// What is recorded is recorded before the thread begins, which reads the store.
class MetricsThreadTest : public testing::Test {
 protected:
  MetricsThreadTest() {
    for (int job : {1, 2}) {
      jv1::SubmittedJob submitted;
      submitted.mutable_spec()->set_name("small");
      submitted.set_output_dir(scratch_.PathOf("out"));
      Put(kSubmittedTable, job, 0, submitted);
      Put(kProgressTable, job, 0, jv1::JobProgress());
    }
  }

  jv1::Change Put(int table, int64_t job, int64_t b,
                  const google::protobuf::MessageLite& value) {
    jv1::Change change = MakePut(table, job, b, value.SerializeAsString());
    EXPECT_TRUE(jobs_.Apply({change}).ok());
    return change;
  }
  jv1::Change PutStep(int64_t job, int64_t step) {
    v1::StepMetrics metrics;
    metrics.set_step(step);
    metrics.mutable_device()->set_nanos(1);
    return Put(kStepsTable, job, step, metrics);
  }

  // Says what was written, and what was told of it.
  std::vector<JobId> Write(const std::vector<jv1::Change>& changes,
                           const std::vector<JobId>& looked_at = {}) {
    std::vector<JobId> troubled;
    MetricsThread thread(
        &jobs_, {"host", absl::Hours(1)},
        [&](JobId job, const absl::Status&) { troubled.push_back(job); });
    thread.Recorded(changes);
    for (JobId job : looked_at) thread.LookAt(job);
    thread.Stop();
    return troubled;
  }

  bool IsWritten(const std::string& job) const {
    return fs::exists(scratch_.PathOf("out/" + job + "-small/metrics.jsonl"));
  }

  ScratchDirectory scratch_;
  MemoryRecordStore jobs_;
};

TEST_F(MetricsThreadTest, WhatWasRecordedIsWrittenBeforeItEnds) {
  const std::vector<jv1::Change> changes = {PutStep(1, 0), PutStep(1, 1)};
  EXPECT_THAT(Write(changes), ElementsAre());
  EXPECT_TRUE(IsWritten("j1"));
  EXPECT_FALSE(IsWritten("j2"));
}

TEST_F(MetricsThreadTest, OnlyWhatChangedIsLookedAt) {
  PutStep(1, 0);
  EXPECT_THAT(Write({PutStep(2, 0)}), ElementsAre());
  EXPECT_FALSE(IsWritten("j1"));
  EXPECT_TRUE(IsWritten("j2"));
}

TEST_F(MetricsThreadTest, AfterARestartWhatIsMissingIsAdded) {
  EXPECT_THAT(Write({PutStep(1, 0)}), ElementsAre());
  const std::string before = scratch_.Read("out/j1-small/metrics.jsonl");
  PutStep(1, 1);
  EXPECT_THAT(Write({}, {JobId(1)}), ElementsAre());
  const std::string after = scratch_.Read("out/j1-small/metrics.jsonl");
  EXPECT_EQ(after.substr(0, before.size()), before);
  EXPECT_EQ(PlaceOfLine(after.substr(before.size())), PlaceOfStep(1));
}

TEST_F(MetricsThreadTest, TroubleWithOneJobIsToldAndKeepsNoOtherWaiting) {
  scratch_.Write("out", "no directory");
  const std::vector<jv1::Change> changes = {PutStep(1, 0), PutStep(2, 0)};
  EXPECT_THAT(Write(changes), ElementsAre(JobId(1), JobId(2)));
  fs::remove(scratch_.PathOf("out"));
  EXPECT_THAT(Write(changes), ElementsAre());
  EXPECT_TRUE(IsWritten("j1"));
  EXPECT_TRUE(IsWritten("j2"));
}

}  // namespace
}  // namespace hydra
