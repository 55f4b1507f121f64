#include "scheduler/storage/job_metrics.h"

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/file/file.h"
#include "common/file/scratch_directory.h"
#include "common/status/proto_time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hydra/tensorboard/v1/event.pb.h"
#include "scheduler/journal/memory_record_store.h"
#include "scheduler/journal/record_change.h"
#include "scheduler/journal/tables.h"
#include "scheduler/storage/event_frame.h"
#include "scheduler/storage/metrics_rows.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
namespace jv1 = hydra::journal::v1;
using testing::IsEmpty;
using testing::SizeIs;

constexpr JobId kJob(1);
constexpr int64_t kNothing = JobMetrics::kNothingOlder;

class JobMetricsTest : public testing::Test {
 protected:
  JobMetricsTest() {
    jv1::SubmittedJob submitted;
    submitted.mutable_spec()->set_name("small");
    v1::TrainSpec& train = *submitted.mutable_spec()->mutable_train();
    train.set_learning_rate(0.5);
    train.set_lr_scheduler_type(v1::LR_SCHEDULER_TYPE_CONSTANT);
    submitted.mutable_spec()->mutable_output()->set_tensorboard(true);
    submitted.set_output_dir(scratch_.PathOf("out"));
    Put(kSubmittedTable, 0, submitted);
    Put(kProgressTable, 0, jv1::JobProgress());
  }

  void Put(int table, int64_t b, const google::protobuf::MessageLite& value) {
    ASSERT_TRUE(
        jobs_
            .Apply({MakePut(table, kJob.value(), b, value.SerializeAsString())})
            .ok());
  }
  // `attempt` is in its time and its loss.
  void PutStep(int64_t step, int attempt, bool is_whole = true) {
    v1::StepMetrics metrics;
    metrics.set_step(step);
    metrics.set_train_loss(static_cast<double>(step) + attempt / 8.0);
    *metrics.mutable_time() =
        ToProto(absl::FromUnixSeconds(1'700'000'000 + 1000 * attempt + step));
    if (is_whole) metrics.mutable_device()->set_seconds(1);
    Put(kStepsTable, step, metrics);
  }
  void PutEvaluation(int64_t step, double loss) {
    v1::EvaluationMetrics metrics;
    metrics.set_step(step);
    metrics.set_split("validation");
    metrics.set_loss(loss);
    Put(kEvaluationsTable, EvaluationNumber(metrics), metrics);
  }
  void EraseFrom(int64_t step) {
    ASSERT_TRUE(
        jobs_
            .Apply({MakeEraseFrom(kStepsTable, kJob.value(), step),
                    MakeEraseFrom(kEvaluationsTable, kJob.value(), 2 * step)})
            .ok());
  }
  void End() {
    jv1::JobProgress progress;
    progress.mutable_ended_at()->set_seconds(1);
    Put(kProgressTable, 0, progress);
  }

  void Update(JobMetrics& metrics, int64_t changed_from) {
    const absl::Status status = metrics.Update(kJob, changed_from);
    EXPECT_TRUE(status.ok()) << status;
  }

  std::string PathOf(const std::string& name) const {
    return scratch_.PathOf("out/j1-small/" + name);
  }

  // What metrics.jsonl has to have: all of jobs.db.
  std::string Recorded(bool ended = false) const {
    MetricsContext context;
    context.train.set_learning_rate(0.5);
    context.train.set_lr_scheduler_type(v1::LR_SCHEDULER_TYPE_CONSTANT);
    const auto rows = ReadMetricsRows(jobs_, kJob, 0, 10'000, ended);
    EXPECT_TRUE(rows.ok()) << rows.status();
    std::string text;
    if (!rows.ok()) return text;
    for (const MetricsRow& row : *rows) text += MetricsLine(row, context);
    return text;
  }
  std::string Lines() const {
    return fs::exists(PathOf("metrics.jsonl"))
               ? ReadFile(PathOf("metrics.jsonl"))
               : "";
  }

  // One curve, as TensorBoard makes it of all files: by step, the value.
  std::map<int64_t, float> Curve(const std::string& tag) const {
    std::map<int64_t, float> curve;
    for (const std::string& name : EventFiles()) {
      const auto file = OpenRegularFile(PathOf(name));
      EXPECT_TRUE(file.ok()) << file.status();
      const auto read =
          ForEachEventFrame(*file, name, [&](absl::string_view data) {
            tensorboard::v1::Event event;
            EXPECT_TRUE(event.ParseFromArray(data.data(),
                                             static_cast<int>(data.size())));
            if (event.has_session_log()) {
              curve.erase(curve.lower_bound(event.step()), curve.end());
            }
            for (const auto& value : event.summary().value()) {
              if (value.tag() != tag) continue;
              EXPECT_TRUE(
                  curve.emplace(event.step(), value.simple_value()).second)
                  << name << " step " << event.step() << " is there twice";
            }
          });
      EXPECT_TRUE(read.ok()) << read.status();
    }
    return curve;
  }
  std::vector<std::string> EventFiles() const {
    std::vector<std::string> names;
    for (const auto& [name, text] :
         ReadFiles(scratch_.PathOf("out/j1-small"))) {
      if (absl::StartsWith(name, "events.out.tfevents.")) names.push_back(name);
    }
    return names;
  }
  // Of steps [0, losses.size()).
  static std::map<int64_t, float> CurveOf(const std::vector<double>& losses) {
    std::map<int64_t, float> curve;
    for (size_t i = 0; i < losses.size(); ++i) {
      curve[static_cast<int64_t>(i)] = static_cast<float>(losses[i]);
    }
    return curve;
  }

  ScratchDirectory scratch_;
  MemoryRecordStore jobs_;
};

TEST_F(JobMetricsTest, TheFilesGrowWithWhatIsRecorded) {
  JobMetrics metrics(&jobs_, "host");
  Update(metrics, kNothing);
  EXPECT_FALSE(fs::exists(scratch_.PathOf("out")));
  PutStep(0, 0);
  Update(metrics, PlaceOfStep(0));
  EXPECT_EQ(Lines(), Recorded());
  PutStep(1, 0, /*is_whole=*/false);
  PutEvaluation(1, 0.5);
  Update(metrics, FirstPlaceOf(1));
  EXPECT_EQ(std::vector<std::string>(absl::StrSplit(Lines(), '\n')).size(),
            2 + 1);
  PutStep(1, 0);
  PutStep(2, 0);
  Update(metrics, PlaceOfStep(1));
  EXPECT_EQ(Lines(), Recorded());
  EXPECT_EQ(Curve("train/loss"), CurveOf({0, 1, 2}));
  EXPECT_EQ(Curve("eval/loss"), (std::map<int64_t, float>{{1, 0.5f}}));
  EXPECT_THAT(EventFiles(), SizeIs(1));
}

TEST_F(JobMetricsTest, TheLastStepComesAtTheJobsEnd) {
  JobMetrics metrics(&jobs_, "host");
  PutStep(0, 0, /*is_whole=*/false);
  Update(metrics, PlaceOfStep(0));
  EXPECT_EQ(Lines(), "");
  End();
  Update(metrics, kNothing);
  EXPECT_EQ(Lines(), Recorded(/*ended=*/true));
  EXPECT_NE(Lines(), "");
}

TEST_F(JobMetricsTest, AJobThatGoesBackLosesWhatItMeasuredSince) {
  JobMetrics metrics(&jobs_, "host");
  for (int step = 0; step < 10; ++step) PutStep(step, 0);
  PutEvaluation(8, 0.25);
  Update(metrics, 0);
  EraseFrom(4);
  Update(metrics, PlaceOfStep(4));
  EXPECT_EQ(Lines(), Recorded());
  for (int step = 4; step < 7; ++step) PutStep(step, 1);
  Update(metrics, PlaceOfStep(4));
  EXPECT_EQ(Lines(), Recorded());
  EXPECT_EQ(Curve("train/loss"), CurveOf({0, 1, 2, 3, 4.125, 5.125, 6.125}));
  EXPECT_THAT(Curve("eval/loss"), IsEmpty());
  EXPECT_THAT(EventFiles(), SizeIs(2));
}

// Between its writing and the word of it.
TEST_F(JobMetricsTest, ARowThatWasReadBeforeItWasToldOfChangesNothing) {
  JobMetrics metrics(&jobs_, "host");
  PutStep(0, 0);
  PutStep(1, 0);
  Update(metrics, PlaceOfStep(0));
  Update(metrics, PlaceOfStep(1));
  PutStep(2, 0);
  Update(metrics, PlaceOfStep(2));
  EXPECT_EQ(Lines(), Recorded());
  EXPECT_EQ(Curve("train/loss"), CurveOf({0, 1, 2}));
  EXPECT_THAT(EventFiles(), SizeIs(1));
}

// As the two are when the daemon was killed after any number of writes: events
// are written first.
TEST_F(JobMetricsTest, AnotherDaemonGoesOnWhereverTheFirstOneWasKilled) {
  for (int step = 0; step < 6; ++step) PutStep(step, 0);
  PutEvaluation(3, 0.75);
  {
    JobMetrics first(&jobs_, "host");
    Update(first, 0);
  }
  const std::string lines = Lines();
  ASSERT_THAT(EventFiles(), SizeIs(1));
  const std::string events_name = EventFiles()[0];
  const std::string events = ReadFile(PathOf(events_name));
  for (int step = 6; step < 8; ++step) PutStep(step, 0);
  std::vector<std::pair<std::string, std::string>> left;
  for (size_t kept = 0; kept < events.size(); kept += 7) {
    left.emplace_back(events.substr(0, kept), "");
  }
  for (size_t kept = 0; kept < lines.size(); kept += 5) {
    left.emplace_back(events, lines.substr(0, kept));
  }
  left.emplace_back(events, lines);
  for (const auto& [left_events, left_lines] : left) {
    fs::remove_all(scratch_.PathOf("out/j1-small"));
    fs::create_directory(scratch_.PathOf("out/j1-small"));
    WriteFile(PathOf(events_name), left_events);
    WriteFile(PathOf("metrics.jsonl"), left_lines);
    JobMetrics second(&jobs_, "host");
    Update(second, kNothing);
    const std::string what =
        absl::StrCat(left_events.size(), " ", left_lines.size());
    EXPECT_EQ(Lines(), Recorded()) << what;
    EXPECT_EQ(Curve("train/loss"), CurveOf({0, 1, 2, 3, 4, 5, 6, 7})) << what;
    EXPECT_EQ(Curve("eval/loss"), (std::map<int64_t, float>{{3, 0.75f}}))
        << what;
    EXPECT_THAT(EventFiles(), SizeIs(2)) << what;
  }
}

// A step that a crash undid is not in the file any more when the job goes on.
TEST_F(JobMetricsTest, AnotherDaemonCutsWhatIsNotRecorded) {
  for (int step = 0; step < 10; ++step) PutStep(step, 0);
  {
    JobMetrics first(&jobs_, "host");
    Update(first, 0);
  }
  EraseFrom(5);
  JobMetrics second(&jobs_, "host");
  Update(second, kNothing);
  EXPECT_EQ(Lines(), Recorded());
  for (int step = 5; step < 12; ++step) PutStep(step, 2);
  {
    JobMetrics third(&jobs_, "host");
    Update(third, kNothing);
  }
  EXPECT_EQ(Lines(), Recorded());
  EXPECT_EQ(Curve("train/loss"), CurveOf({0, 1, 2, 3, 4, 5.25, 6.25, 7.25, 8.25,
                                          9.25, 10.25, 11.25}));
}

TEST_F(JobMetricsTest, ManyRowsAreWrittenInPieces) {
  for (int step = 0; step < 2500; ++step) PutStep(step, 0);
  JobMetrics metrics(&jobs_, "host");
  Update(metrics, 0);
  EXPECT_EQ(Lines(), Recorded());
  EXPECT_THAT(Curve("train/loss"), SizeIs(2500));
}

TEST_F(JobMetricsTest, WhatIsDeletedMeanwhileIsWrittenAnew) {
  JobMetrics metrics(&jobs_, "host");
  PutStep(0, 0);
  Update(metrics, PlaceOfStep(0));
  fs::remove_all(scratch_.PathOf("out/j1-small"));
  PutStep(1, 0);
  Update(metrics, PlaceOfStep(1));
  EXPECT_EQ(Lines(), Recorded());
  EXPECT_EQ(Curve("train/loss"), CurveOf({0, 1}));
}

TEST_F(JobMetricsTest, AFolderThatIsNotThereIsNotMadeForOldRows) {
  PutStep(0, 0);
  JobMetrics metrics(&jobs_, "host");
  Update(metrics, kNothing);
  EXPECT_FALSE(fs::exists(scratch_.PathOf("out")));
  PutStep(1, 0);
  Update(metrics, PlaceOfStep(1));
  EXPECT_EQ(Lines(), Recorded());
}

TEST_F(JobMetricsTest, ALinkInThePathIsNotFollowedAndNothingIsLost) {
  JobMetrics metrics(&jobs_, "host");
  fs::create_directory(scratch_.PathOf("another"));
  fs::create_directory(scratch_.PathOf("out"));
  fs::create_directory_symlink(scratch_.PathOf("another"),
                               scratch_.PathOf("out/j1-small"));
  PutStep(0, 0);
  const absl::Status refused = metrics.Update(kJob, PlaceOfStep(0));
  EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
  EXPECT_THAT(ReadFiles(scratch_.PathOf("another")), IsEmpty());
  fs::remove(scratch_.PathOf("out/j1-small"));
  Update(metrics, kNothing);
  EXPECT_EQ(Lines(), Recorded());
  EXPECT_NE(Lines(), "");
}

// A file in the place of the other one: events are written, and lines are not.
TEST_F(JobMetricsTest, WhatFailsBetweenTheTwoLeavesOneCurveAndOneFile) {
  JobMetrics metrics(&jobs_, "host");
  PutStep(0, 0);
  Update(metrics, PlaceOfStep(0));
  const std::string lines = Lines();
  fs::remove(PathOf("metrics.jsonl"));
  fs::create_directory(PathOf("metrics.jsonl"));
  for (int step = 1; step < 4; ++step) {
    PutStep(step, 0);
    EXPECT_FALSE(metrics.Update(kJob, PlaceOfStep(step)).ok());
    EXPECT_FALSE(metrics.Update(kJob, kNothing).ok());
  }
  fs::remove(PathOf("metrics.jsonl"));
  WriteFile(PathOf("metrics.jsonl"), lines);
  Update(metrics, kNothing);
  EXPECT_EQ(Lines(), Recorded());
  EXPECT_EQ(Curve("train/loss"), CurveOf({0, 1, 2, 3}));
  EXPECT_THAT(EventFiles(), SizeIs(1));
}

// jobs.db of which somebody deletes the job as soon as its progress was read.
class DeletedMeanwhile : public RecordStore {
 public:
  explicit DeletedMeanwhile(MemoryRecordStore* jobs) : jobs_(*jobs) {}

  bool armed = false;

  absl::Status Apply(absl::Span<const jv1::Change> changes) override {
    return jobs_.Apply(changes);
  }
  absl::Status ForEach(int table, RecordVisitor visit) const override {
    return jobs_.ForEach(table, visit);
  }
  absl::Status ForEachFrom(int table, int64_t a, int64_t first_b,
                           RecordVisitor visit) const override {
    const absl::Status read = jobs_.ForEachFrom(table, a, first_b, visit);
    if (!armed || table != kProgressTable) return read;
    std::vector<jv1::Change> changes;
    for (int erased : {kSubmittedTable, kProgressTable, kStepsTable,
                       kEvaluationsTable, kCheckpointsTable}) {
      changes.push_back(MakeEraseFrom(erased, kJob.value(), 0));
    }
    EXPECT_TRUE(jobs_.Apply(changes).ok());
    return read;
  }

 private:
  MemoryRecordStore& jobs_;
};

TEST_F(JobMetricsTest, AJobThatIsDeletedLeavesItsFilesAsTheyWere) {
  for (int step = 0; step < 4; ++step) PutStep(step, 0);
  DeletedMeanwhile jobs(&jobs_);
  JobMetrics metrics(&jobs, "host");
  Update(metrics, PlaceOfStep(0));
  const std::string lines = Lines();
  ASSERT_EQ(lines, Recorded());
  jobs.armed = true;
  // As its deletion looks to whoever writes the files: all may have changed.
  Update(metrics, PlaceOfStep(0));
  EXPECT_EQ(Recorded(), "");
  EXPECT_EQ(Lines(), lines);
  Update(metrics, PlaceOfStep(0));
  EXPECT_EQ(Lines(), lines);
}

TEST_F(JobMetricsTest, ADeletedJobThatNobodyLookedAtYetIsNoTrouble) {
  for (int step = 0; step < 4; ++step) PutStep(step, 0);
  DeletedMeanwhile jobs(&jobs_);
  jobs.armed = true;
  JobMetrics metrics(&jobs, "host");
  Update(metrics, PlaceOfStep(0));
  EXPECT_EQ(Lines(), "");
}

TEST_F(JobMetricsTest, EventsAreForWhoAskedForThem) {
  jv1::SubmittedJob submitted;
  submitted.mutable_spec()->set_name("small");
  submitted.set_output_dir(scratch_.PathOf("out"));
  Put(kSubmittedTable, 0, submitted);
  PutStep(0, 0);
  JobMetrics metrics(&jobs_, "host");
  Update(metrics, PlaceOfStep(0));
  EXPECT_THAT(ReadFiles(scratch_.PathOf("out/j1-small")), SizeIs(1));
  EXPECT_NE(Lines(), "");
}

}  // namespace
}  // namespace hydra
