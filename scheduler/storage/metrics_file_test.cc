#include "scheduler/storage/metrics_file.h"

#include <filesystem>
#include <map>
#include <string>

#include "common/file/scratch_directory.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "scheduler/storage/metrics_line.h"

namespace hydra {
namespace {

using testing::HasSubstr;

class MetricsFileTest : public testing::Test {
 protected:
  HeldDirectory Folder() const {
    auto folder = HeldDirectory::Open(scratch_.path());
    EXPECT_TRUE(folder.ok()) << folder.status();
    return *std::move(folder);
  }

  // Records a step's row, and gives its line.
  std::string Record(int64_t step, double loss) {
    v1::StepMetrics metrics;
    metrics.set_step(step);
    metrics.set_train_loss(loss);
    rows_[PlaceOfStep(step)] = {metrics};
    return MetricsLine({metrics}, MetricsContext());
  }

  MetricsFileEnd Cut() {
    const auto end = CutMetricsFile(
        Folder(),
        [this](int64_t place) -> absl::StatusOr<std::optional<MetricsRow>> {
          const auto found = rows_.find(place);
          if (found == rows_.end()) return std::nullopt;
          return found->second;
        });
    EXPECT_TRUE(end.ok()) << end.status();
    return end.value_or(MetricsFileEnd());
  }

  std::string Text() const { return scratch_.Read(kMetricsFile); }

  ScratchDirectory scratch_;
  std::map<int64_t, MetricsRow> rows_;
};

TEST_F(MetricsFileTest, IsMadeWithTheFirstLines) {
  MetricsFileEnd end = Cut();
  EXPECT_EQ(end.bytes, 0);
  EXPECT_EQ(end.next, 0);
  EXPECT_FALSE(std::filesystem::exists(scratch_.PathOf(kMetricsFile)));
  const std::string one = Record(0, 1);
  const std::string two = Record(1, 2);
  ASSERT_TRUE(AppendToMetricsFile(Folder(), one, 3, end).ok());
  ASSERT_TRUE(AppendToMetricsFile(Folder(), two, 6, end).ok());
  EXPECT_EQ(Text(), one + two);
  EXPECT_EQ(end.next, 6);
  EXPECT_TRUE(SyncMetricsFile(Folder()).ok());
  const MetricsFileEnd found = Cut();
  EXPECT_EQ(found.bytes, end.bytes);
  EXPECT_EQ(found.next, end.next);
}

TEST_F(MetricsFileTest, EveryNumberOfGoodLinesIsFound) {
  constexpr int kLines = 40;
  for (int good = 0; good <= kLines; ++good) {
    rows_.clear();
    std::string text;
    std::string kept;
    for (int step = 0; step < kLines; ++step) {
      text += Record(step, 1.0 / (step + 1));
      if (step < good) kept = text;
      // These were measured anew: with another result, or not yet.
      if (step >= good && step % 2 == 0) Record(step, -1);
      if (step >= good && step % 2 == 1) rows_.erase(PlaceOfStep(step));
    }
    scratch_.Write(kMetricsFile, text);
    const MetricsFileEnd end = Cut();
    EXPECT_EQ(Text(), kept) << good;
    EXPECT_EQ(end.bytes, kept.size());
    EXPECT_EQ(end.next, good == 0 ? 0 : PlaceOfStep(good - 1) + 1);
  }
}

TEST_F(MetricsFileTest, WhatACrashBrokeOffIsCutWhereverThatWas) {
  const std::string good = Record(0, 1) + Record(1, 2);
  const std::string last = Record(2, 3);
  for (size_t bytes = 0; bytes < last.size(); ++bytes) {
    scratch_.Write(kMetricsFile, good + last.substr(0, bytes));
    EXPECT_EQ(Cut().next, PlaceOfStep(1) + 1) << bytes;
    EXPECT_EQ(Text(), good) << bytes;
  }
  // What a file system may leave after a power cut.
  for (size_t zeros : {1, 100, 10'000, 100'000}) {
    scratch_.Write(kMetricsFile, good + std::string(zeros, '\0'));
    Cut();
    EXPECT_EQ(Text(), good) << zeros;
  }
}

TEST_F(MetricsFileTest, WhoeverChangedTheFileIsNoticed) {
  MetricsFileEnd end;
  ASSERT_TRUE(AppendToMetricsFile(Folder(), Record(0, 1), 3, end).ok());
  const std::string text = Text();
  scratch_.Write(kMetricsFile, text + "more");
  EXPECT_TRUE(
      absl::IsAborted(AppendToMetricsFile(Folder(), Record(1, 2), 6, end)));
  std::filesystem::remove(scratch_.PathOf(kMetricsFile));
  EXPECT_TRUE(
      absl::IsNotFound(AppendToMetricsFile(Folder(), Record(1, 2), 6, end)));
  EXPECT_EQ(Cut().bytes, 0);
}

TEST_F(MetricsFileTest, NothingIsWrittenThroughALink) {
  const std::string another = scratch_.Write("another", "keep");
  std::filesystem::create_symlink(another, scratch_.PathOf(kMetricsFile));
  MetricsFileEnd end;
  const absl::Status refused =
      AppendToMetricsFile(Folder(), Record(0, 1), 3, end);
  EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
  EXPECT_THAT(refused.message(), HasSubstr("metrics.jsonl is a link"));
  EXPECT_EQ(scratch_.Read("another"), "keep");
}

TEST_F(MetricsFileTest, AnErrorOfTheRecordsLeavesTheFile) {
  const std::string text = Record(0, 1) + "broken";
  scratch_.Write(kMetricsFile, text);
  const auto end = CutMetricsFile(
      Folder(), [](int64_t) -> absl::StatusOr<std::optional<MetricsRow>> {
        return absl::DataLossError("damaged");
      });
  EXPECT_TRUE(absl::IsDataLoss(end.status()));
  EXPECT_EQ(Text(), text);
}

}  // namespace
}  // namespace hydra
