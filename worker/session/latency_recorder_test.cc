#include "worker/session/latency_recorder.h"

#include <fstream>
#include <sstream>

#include "gtest/gtest.h"

namespace hydra {
namespace {

std::string Contents(const std::string& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

TEST(LatencyRecorderTest, QuantilesAreExact) {
  LatencyRecorder recorder;
  for (int i = 100; i >= 1; --i) recorder.Add(absl::Microseconds(i));
  EXPECT_EQ(recorder.Quantile(0.5), absl::Microseconds(50));
  EXPECT_EQ(recorder.Quantile(0.99), absl::Microseconds(99));
  EXPECT_EQ(recorder.Quantile(1), absl::Microseconds(100));
  EXPECT_EQ(recorder.Quantile(0), absl::Microseconds(1));
}

TEST(LatencyRecorderTest, KeepsTheNewestSamples) {
  LatencyRecorder recorder;
  recorder.Add(absl::Hours(1));
  for (int i = 0; i < LatencyRecorder::kMaxSamples; ++i) {
    recorder.Add(absl::Microseconds(1));
  }
  EXPECT_EQ(recorder.Quantile(1), absl::Microseconds(1));
  EXPECT_EQ(recorder.count(), LatencyRecorder::kMaxSamples + 1);
}

TEST(LatencyRecorderTest, WritesOneLineOfJson) {
  const std::string path = testing::TempDir() + "/latency.json";
  LatencyRecorder recorder;
  ASSERT_TRUE(recorder.WriteTo(path).ok());
  EXPECT_EQ(Contents(path),
            "{\"count\":0,\"p50_us\":0.0,\"p99_us\":0.0,\"max_us\":0.0}\n");
  recorder.Add(absl::Nanoseconds(30500));
  recorder.Add(absl::Microseconds(41));
  ASSERT_TRUE(recorder.WriteTo(path).ok());
  EXPECT_EQ(Contents(path),
            "{\"count\":2,\"p50_us\":30.5,\"p99_us\":41.0,\"max_us\":41.0}\n");
}

TEST(LatencyRecorderTest, TellsOfAPathThatCannotBeWritten) {
  const absl::Status status =
      LatencyRecorder().WriteTo(testing::TempDir() + "/missing/latency.json");
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound) << status;
}

}  // namespace
}  // namespace hydra
