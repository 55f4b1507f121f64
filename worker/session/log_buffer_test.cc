#include "worker/session/log_buffer.h"

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using worker::v1::WorkerReport;

constexpr int64_t kNoLimit = int64_t{1} << 40;

void AddText(LogBuffer& buffer, const std::string& text) {
  buffer.Add(LogSeverity::kInfo, LogContext(), text, absl::UnixEpoch());
}

WorkerReport Filled(const LogBuffer& buffer, int64_t max_bytes = kNoLimit) {
  WorkerReport report;
  buffer.Fill(max_bytes, report);
  return report;
}

std::vector<std::string> Texts(const LogBuffer& buffer,
                               int64_t max_bytes = kNoLimit) {
  std::vector<std::string> texts;
  const WorkerReport report = Filled(buffer, max_bytes);
  for (const auto& line : report.log_lines()) {
    texts.push_back(line.text());
  }
  return texts;
}

TEST(LogBufferTest, KeepsALineWithAllThatIsKnownOfIt) {
  LogBuffer buffer({});
  buffer.Add(LogSeverity::kWarning, {JobId(3), /*step=*/17, TaskId(99)},
             "loss is \x1b[1mnan\n", absl::FromUnixMillis(1500));
  const WorkerReport report = Filled(buffer);
  ASSERT_EQ(report.log_lines_size(), 1);
  const auto& line = report.log_lines(0);
  EXPECT_EQ(line.sequence(), 1);
  EXPECT_EQ(line.job_id(), 3);
  EXPECT_EQ(line.step(), 17);
  EXPECT_EQ(line.task_id(), 99);
  EXPECT_EQ(line.severity(), "W");
  EXPECT_EQ(line.text(), "loss is \x1b[1mnan\n") << "nothing is escaped";
  EXPECT_EQ(line.time().seconds(), 1);
  EXPECT_EQ(line.time().nanos(), 500000000);
  EXPECT_EQ(line.dropped_before(), 0);
}

TEST(LogBufferTest, KeepsLinesUntilTheyAreAcknowledged) {
  LogBuffer buffer({});
  for (const char* text : {"a", "b", "c"}) AddText(buffer, text);
  EXPECT_THAT(Texts(buffer), ElementsAre("a", "b", "c"));
  buffer.Acknowledge(2);
  EXPECT_THAT(Texts(buffer), ElementsAre("c"));
  buffer.Acknowledge(1);
  EXPECT_THAT(Texts(buffer), ElementsAre("c"));
}

TEST(LogBufferTest, DropsTheOldestLinesOverTheLimitAndCountsThem) {
  LogBuffer buffer({/*max_lines=*/2, /*max_bytes=*/100});
  for (const char* text : {"a", "b", "c", "d"}) AddText(buffer, text);
  const WorkerReport report = Filled(buffer);
  ASSERT_EQ(report.log_lines_size(), 2);
  EXPECT_EQ(report.log_lines(0).text(), "c");
  EXPECT_EQ(report.log_lines(0).sequence(), 3);
  EXPECT_EQ(report.log_lines(0).dropped_before(), 2);
  EXPECT_EQ(report.log_lines(1).dropped_before(), 0);
}

TEST(LogBufferTest, TellsOfALossThatEmptiedIt) {
  LogBuffer buffer({/*max_lines=*/10, /*max_bytes=*/4});
  AddText(buffer, "ab");
  AddText(buffer, "cd");
  AddText(buffer, "efgh");
  const WorkerReport report = Filled(buffer);
  ASSERT_EQ(report.log_lines_size(), 1);
  EXPECT_EQ(report.log_lines(0).text(), "efgh");
  EXPECT_EQ(report.log_lines(0).dropped_before(), 2);
}

TEST(LogBufferTest, ForgetsALossThatWasAcknowledged) {
  LogBuffer buffer({/*max_lines=*/1, /*max_bytes=*/100});
  AddText(buffer, "a");
  AddText(buffer, "b");
  buffer.Acknowledge(2);
  AddText(buffer, "c");
  EXPECT_EQ(Filled(buffer).log_lines(0).dropped_before(), 0);
}

TEST(LogBufferTest, CutsALongLineBetweenCharacters) {
  LogBuffer buffer({/*max_lines=*/10, /*max_bytes=*/4});
  AddText(buffer, "abc\u00e9");
  EXPECT_THAT(Texts(buffer), ElementsAre("abc"));
}

TEST(LogBufferTest, TextThatIsNotUtf8StillFitsAMessage) {
  LogBuffer buffer({});
  AddText(buffer,
          "a\xff"
          "b");
  WorkerReport received;
  ASSERT_TRUE(received.ParseFromString(Filled(buffer).SerializeAsString()));
  EXPECT_EQ(received.log_lines(0).text(),
            "a\uFFFD"
            "b");
}

TEST(LogBufferTest, FillsAReportWithTheOldestLinesThatFitAndAtLeastOne) {
  LogBuffer buffer({});
  for (const char* text : {"aaaa", "bb", "c"}) AddText(buffer, text);
  EXPECT_THAT(Texts(buffer, /*max_bytes=*/6), ElementsAre("aaaa", "bb"));
  EXPECT_THAT(Texts(buffer, /*max_bytes=*/1), ElementsAre("aaaa"));
}

}  // namespace
}  // namespace hydra
