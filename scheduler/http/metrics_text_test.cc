#include "scheduler/http/metrics_text.h"

#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "gtest/gtest.h"

namespace hydra {
namespace {

TEST(MetricsTextTest, WritesFamiliesAsPrometheusReadsThem) {
  MetricsText text;
  text.Gauge("hydra_jobs", "Jobs.");
  text.Sample({{"user", "1000"}, {"state", "running"}}, int64_t{3});
  text.Sample({{"user", "1001"}, {"state", "running"}}, int64_t{0});
  text.Counter("hydra_steps_total", "Steps.");
  text.Sample({}, int64_t{9007199254740993});
  EXPECT_EQ(std::move(text).Take(),
            "# HELP hydra_jobs Jobs.\n"
            "# TYPE hydra_jobs gauge\n"
            "hydra_jobs{user=\"1000\",state=\"running\"} 3\n"
            "hydra_jobs{user=\"1001\",state=\"running\"} 0\n"
            "# HELP hydra_steps_total Steps.\n"
            "# TYPE hydra_steps_total counter\n"
            "hydra_steps_total 9007199254740993\n");
}

TEST(MetricsTextTest, EscapesWhatWouldEndALabelOrALine) {
  MetricsText text;
  text.Gauge("a", "A \\ and\na line.");
  text.Sample({{"b", "\"x\\y\"\n}"}}, 1.5);
  EXPECT_EQ(std::move(text).Take(),
            "# HELP a A \\\\ and\\na line.\n"
            "# TYPE a gauge\n"
            "a{b=\"\\\"x\\\\y\\\"\\n}\"} 1.5\n");
}

TEST(MetricsTextTest, WritesNumbersThatAreReadBackTheSame) {
  MetricsText text;
  text.Gauge("a", "A.");
  text.Sample({}, 0.1);
  text.Sample({}, 0.0001);
  text.Sample({}, 1700000000.25);
  text.Sample({}, 1e21);
  text.Sample({}, std::numeric_limits<double>::infinity());
  text.Sample({}, -std::numeric_limits<double>::infinity());
  text.Sample({}, std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(
      std::move(text).Take(),
      "# HELP a A.\n# TYPE a gauge\n"
      "a 0.1\na 0.0001\na 1700000000.25\na 1e+21\na +Inf\na -Inf\na NaN\n");
}

TEST(MetricsTextTest, BucketsOfAHistogramContainThoseBefore) {
  Histogram histogram({0.5, 1});
  for (double value : {0.25, 0.75, 2.0, 4.0}) histogram.Add(value);
  MetricsText text;
  text.WholeHistogram("hydra_wait_seconds", "Waits.", histogram);
  EXPECT_EQ(std::move(text).Take(),
            "# HELP hydra_wait_seconds Waits.\n"
            "# TYPE hydra_wait_seconds histogram\n"
            "hydra_wait_seconds_bucket{le=\"0.5\"} 1\n"
            "hydra_wait_seconds_bucket{le=\"1\"} 2\n"
            "hydra_wait_seconds_bucket{le=\"+Inf\"} 4\n"
            "hydra_wait_seconds_sum 7\n"
            "hydra_wait_seconds_count 4\n");
}

TEST(MetricsTextDeathTest, RefusesWhatPrometheusWould) {
  EXPECT_DEATH(MetricsText().Gauge("1a", ""), "1a");
  EXPECT_DEATH(MetricsText().Gauge("a-b", ""), "a-b");
  EXPECT_DEATH(MetricsText().Counter("a", ""), "a");
  EXPECT_DEATH(MetricsText().Gauge("a_total", ""), "a_total");
  EXPECT_DEATH(
      {
        MetricsText text;
        text.Gauge("a", "");
        text.Gauge("a", "");
      },
      "a");
  EXPECT_DEATH(
      {
        MetricsText text;
        text.Gauge("a", "");
        text.Sample({{"b c", ""}}, 1.0);
      },
      "b c");
}

}  // namespace
}  // namespace hydra
