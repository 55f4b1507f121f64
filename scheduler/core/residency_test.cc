#include "scheduler/core/residency.h"

#include <gtest/gtest.h>

#include <cstdint>

#include "common/protocol/task_format.h"
#include "scheduler/core/testing/hands_fixture.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

// A job of two shards: FORWARD, TURN and BACKWARD.
class ResidencyTest : public HandsFixture {
 protected:
  int64_t Bytes(uint64_t worker) {
    return ResidentBytes(At(worker), blocks_, job_);
  }
  // What the next task reads, of this kind.
  int64_t ReadBytes(hydra::worker::v1::BlockKind kind) {
    int64_t bytes = 0;
    for (const BlockKey& key :
         TaskAt(job_.shape, job_.plan, job_.NextPosition()).reads) {
      if (key.kind != kind) continue;
      bytes += blocks_.Find(job_.id, key)->size_bytes;
    }
    return bytes;
  }
  int64_t ParameterBytes() {
    return ReadBytes(hydra::worker::v1::BLOCK_KIND_PARAMETERS);
  }
  void UpdateOn(v1::UpdatePlace place) {
    job_.submitted.spec.mutable_train()->set_update_on(place);
  }

  Job& job_ = AddAt(1, InStep(0));
};

TEST_F(ResidencyTest, CountsWhatTheWorkerListsOfTheNextTasksReads) {
  EXPECT_EQ(Bytes(1), 0);
  int64_t expected = 0;
  for (const BlockKey& key :
       TaskAt(job_.shape, job_.plan, job_.NextPosition()).reads) {
    const Version& version = *blocks_.Find(job_.id, key);
    At(1).cached.insert(version.id);
    expected += version.size_bytes;
    EXPECT_EQ(Bytes(1), expected);
  }
  EXPECT_GT(expected, 0);
  EXPECT_EQ(Bytes(2), 0);
  // Another task's.
  At(1).cached = {VersionId(1'000'000)};
  EXPECT_EQ(Bytes(1), 0);
}

TEST_F(ResidencyTest, AReportSaysAnewWhatIsThere) {
  hydra::worker::v1::WorkerReport report;
  report.set_session("1");
  report.set_task_format(kTaskFormat);
  for (uint64_t version : {7, 8}) {
    report.set_sequence(At(1).report_sequence + 1);
    report.mutable_device()->clear_cached_versions();
    report.mutable_device()->add_cached_versions(version);
    ASSERT_TRUE(roster_.TakeAttendance(At(1), report, now_));
    EXPECT_EQ(At(1).cached.size(), 1);
    EXPECT_TRUE(At(1).cached.contains(VersionId(version)));
  }
}

TEST_F(ResidencyTest, ANewProcessHasNothing) {
  At(1).cached.insert(VersionId(7));
  journal::v1::WorkerProcess process;
  process.set_pid(77);
  roster_.Started(WorkerId(1), process);
  EXPECT_TRUE(At(1).cached.empty());
}

TEST_F(ResidencyTest, WhatTheHandsTasksMakeOnTheDeviceCounts) {
  ASSERT_TRUE(HandOut(job_));
  // The boundary between the two shards.
  EXPECT_GT(Bytes(1), 0);
  EXPECT_EQ(Bytes(2), 0);
}

TEST_F(ResidencyTest, NewParametersAreThereWhereTheDeviceUpdates) {
  ASSERT_TRUE(HandOut(job_));
  ASSERT_TRUE(HandOut(job_));
  ASSERT_TRUE(HandOut(job_));
  ASSERT_FALSE(job_.NextPosition().inside_step());
  UpdateOn(v1::UPDATE_PLACE_HOST);
  EXPECT_EQ(Bytes(1), 0);
  UpdateOn(v1::UPDATE_PLACE_DEVICE);
  EXPECT_EQ(Bytes(1), ParameterBytes());
  EXPECT_GT(Bytes(1), 0);
}

TEST_F(ResidencyTest, TheNextStepWaitsForWhatTheHostMakes) {
  At(1).device.has_own_memory = true;
  UpdateOn(v1::UPDATE_PLACE_HOST);
  for (int task = 0; task < 3; ++task) {
    EXPECT_FALSE(WaitsForHost(At(1), job_)) << task;
    ASSERT_TRUE(HandOut(job_));
  }
  EXPECT_TRUE(WaitsForHost(At(1), job_));
  UpdateOn(v1::UPDATE_PLACE_DEVICE);
  EXPECT_FALSE(WaitsForHost(At(1), job_));
  UpdateOn(v1::UPDATE_PLACE_HOST);
  At(1).device.has_own_memory = false;
  EXPECT_FALSE(WaitsForHost(At(1), job_));
}

TEST_F(ResidencyTest, OnlyTheFirstTaskOfTheNextStepWaits) {
  At(1).device.has_own_memory = true;
  UpdateOn(v1::UPDATE_PLACE_HOST);
  for (int task = 0; task < 4; ++task) ASSERT_TRUE(HandOut(job_));
  for (int task = 0; task < 2; ++task) {
    ASSERT_TRUE(job_.NextPosition().inside_step());
    EXPECT_FALSE(WaitsForHost(At(1), job_)) << task;
    ASSERT_TRUE(HandOut(job_));
  }
  EXPECT_TRUE(WaitsForHost(At(1), job_));
}

TEST_F(ResidencyTest, AClippedUpdateWaitsForItsGradients) {
  At(1).device.has_own_memory = true;
  job_.shape.clips_gradients = true;
  for (int task = 0; task < 3; ++task) {
    EXPECT_FALSE(WaitsForHost(At(1), job_)) << task;
    ASSERT_TRUE(HandOut(job_));
  }
  EXPECT_TRUE(WaitsForHost(At(1), job_));
}

}  // namespace
}  // namespace hydra
