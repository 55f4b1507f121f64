#include "client/render/metrics_csv.h"

#include <gtest/gtest.h>

namespace hydra {
namespace {

TEST(MetricsCsvTest, HasARowForEachStepAndEachEvaluation) {
  v1::ListMetricsResponse page;
  v1::StepMetrics& first = *page.add_steps();
  first.set_step(2);
  first.set_train_loss(0.1);
  first.set_grad_norm(2.5);
  first.mutable_time()->set_seconds(1);
  first.mutable_device()->set_nanos(500'000'000);
  v1::StepMetrics& second = *page.add_steps();
  second.set_step(3);
  second.set_train_loss(1.0 / 3);
  v1::EvaluationMetrics& before = *page.add_evaluations();
  before.set_step(3);
  before.set_split("validation");
  before.set_loss(3);
  before.set_perplexity(20.25);
  before.set_tokens(700);
  v1::EvaluationMetrics& after = *page.add_evaluations();
  after.set_step(4);
  after.set_split("test");
  after.set_loss(0.5);
  after.set_accuracy(0.75);
  after.set_tokens(300);
  EXPECT_EQ(MetricsCsv(page),
            "train,2,0.1,,,,2.5,1970-01-01T00:00:01+00:00,0.5\n"
            "validation,3,3,20.25,,700,,,\n"
            "train,3,0.3333333333333333,,,,,,\n"
            "test,4,0.5,,0.75,300,,,\n");
}

TEST(MetricsCsvTest, EveryRowHasTheHeadsColumns) {
  v1::ListMetricsResponse page;
  page.add_steps();
  page.add_evaluations()->set_step(1);
  const std::string text = kMetricsCsvHead + MetricsCsv(page);
  int commas = 0;
  for (char c : text) {
    if (c == ',') ++commas;
    if (c != '\n') continue;
    EXPECT_EQ(commas, 8);
    commas = 0;
  }
  EXPECT_EQ(MetricsCsv({}), "");
}

}  // namespace
}  // namespace hydra
