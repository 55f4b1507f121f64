#include "scheduler/storage/metrics_rows.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "scheduler/journal/memory_record_store.h"
#include "scheduler/journal/record_change.h"
#include "scheduler/journal/tables.h"

namespace hydra {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr JobId kJob(7);

class MetricsRowsTest : public testing::Test {
 protected:
  void PutStep(int64_t step, bool is_whole = true) {
    v1::StepMetrics metrics;
    metrics.set_step(step);
    if (is_whole) metrics.mutable_device()->set_nanos(1);
    Put(kStepsTable, step, metrics);
  }
  void PutEvaluation(int64_t step, const std::string& split) {
    v1::EvaluationMetrics metrics;
    metrics.set_step(step);
    metrics.set_split(split);
    Put(kEvaluationsTable, EvaluationNumber(metrics), metrics);
  }
  void Put(int table, int64_t b, const google::protobuf::MessageLite& value) {
    ASSERT_TRUE(
        jobs_
            .Apply({MakePut(table, kJob.value(), b, value.SerializeAsString())})
            .ok());
  }

  // As "step 3", "validation 3".
  std::vector<std::string> Rows(int64_t from, int most, bool ended = false) {
    const auto rows = ReadMetricsRows(jobs_, kJob, from, most, ended);
    EXPECT_TRUE(rows.ok()) << rows.status();
    std::vector<std::string> names;
    if (!rows.ok()) return names;
    for (const MetricsRow& row : *rows) {
      const auto* evaluation = std::get_if<v1::EvaluationMetrics>(&row.metrics);
      names.push_back(
          absl::StrCat(evaluation != nullptr ? evaluation->split() : "step",
                       " ", row.step()));
    }
    return names;
  }

  MemoryRecordStore jobs_;
};

TEST_F(MetricsRowsTest, EvaluationsStandBeforeTheStepThatFollowsThem) {
  for (int step : {0, 1, 2}) PutStep(step);
  PutEvaluation(0, "validation");
  PutEvaluation(2, "test");
  PutEvaluation(2, "validation");
  PutEvaluation(3, "validation");
  EXPECT_THAT(Rows(0, 100),
              ElementsAre("validation 0", "step 0", "step 1", "validation 2",
                          "test 2", "step 2", "validation 3"));
}

TEST_F(MetricsRowsTest, PiecesOfAnySizeMakeTheWhole) {
  for (int step = 0; step < 9; ++step) PutStep(step);
  for (int step : {0, 3, 4, 9}) PutEvaluation(step, "validation");
  for (int step : {3, 9}) PutEvaluation(step, "test");
  const std::vector<std::string> whole = Rows(0, 100);
  ASSERT_EQ(whole.size(), 15);
  for (int most = 1; most < 17; ++most) {
    std::vector<std::string> pieces;
    int64_t from = 0;
    while (true) {
      const auto rows = ReadMetricsRows(jobs_, kJob, from, most, false);
      ASSERT_TRUE(rows.ok());
      if (rows->empty()) break;
      ASSERT_LE(rows->size(), most);
      for (const std::string& name : Rows(from, most)) pieces.push_back(name);
      from = rows->back().place() + 1;
    }
    EXPECT_EQ(pieces, whole) << most;
  }
}

TEST_F(MetricsRowsTest, AStepIsWholeOnceNothingOfItIsOut) {
  PutStep(0, /*is_whole=*/false);
  PutStep(1, /*is_whole=*/false);
  EXPECT_THAT(Rows(0, 100), ElementsAre("step 0"));
  // Of a step whose times are not all known, what follows says so.
  PutEvaluation(2, "validation");
  EXPECT_THAT(Rows(0, 100), ElementsAre("step 0", "step 1", "validation 2"));
  PutStep(2, /*is_whole=*/false);
  EXPECT_THAT(Rows(PlaceOfStep(2), 100), IsEmpty());
  EXPECT_THAT(Rows(PlaceOfStep(2), 100, /*ended=*/true), ElementsAre("step 2"));
  PutStep(2);
  EXPECT_THAT(Rows(PlaceOfStep(2), 100), ElementsAre("step 2"));
}

TEST_F(MetricsRowsTest, OneRowIsFoundByItsPlace) {
  for (int step : {0, 1}) PutStep(step);
  PutEvaluation(1, "test");
  for (int64_t place : {PlaceOfStep(0), FirstPlaceOf(1) + 1, PlaceOfStep(1)}) {
    const auto row = ReadMetricsRow(jobs_, kJob, place, false);
    ASSERT_TRUE(row.ok() && row->has_value()) << place;
    EXPECT_EQ((*row)->place(), place);
  }
  for (int64_t place : {FirstPlaceOf(0), FirstPlaceOf(1), FirstPlaceOf(2)}) {
    const auto row = ReadMetricsRow(jobs_, kJob, place, false);
    ASSERT_TRUE(row.ok()) << row.status();
    EXPECT_FALSE(row->has_value()) << place;
  }
}

TEST_F(MetricsRowsTest, ADamagedRecordIsTold) {
  ASSERT_TRUE(
      jobs_.Apply({MakePut(kStepsTable, kJob.value(), 0, "\xff\xff")}).ok());
  EXPECT_TRUE(
      absl::IsDataLoss(ReadMetricsRows(jobs_, kJob, 0, 10, false).status()));
}

}  // namespace
}  // namespace hydra
