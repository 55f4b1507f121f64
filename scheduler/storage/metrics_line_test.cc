#include "scheduler/storage/metrics_line.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "absl/strings/strip.h"
#include "common/status/proto_time.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

MetricsContext Context() {
  MetricsContext context;
  context.train.set_learning_rate(1e-3);
  context.train.set_lr_scheduler_type(v1::LR_SCHEDULER_TYPE_CONSTANT);
  context.total_steps = 100;
  context.tokens_of_a_step = 512;
  return context;
}

v1::StepMetrics Step() {
  v1::StepMetrics step;
  step.set_step(17);
  step.set_train_loss(0.1 + 0.2);
  *step.mutable_time() =
      ToProto(absl::FromUnixSeconds(1'700'000'000) + absl::Nanoseconds(12));
  step.mutable_device()->set_nanos(250'000'000);
  step.set_grad_norm(1.0 / 3);
  return step;
}

std::string LineOf(const MetricsRow& row) {
  const std::string line = MetricsLine(row, Context());
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  return std::string(absl::StripSuffix(line, "\n"));
}

TEST(MetricsLineTest, AStepsNumbersAreReadAsTheyWere) {
  const auto json = nlohmann::json::parse(LineOf({Step()}));
  EXPECT_EQ(json["step"], 17);
  EXPECT_EQ(json["time"], "2023-11-14T22:13:20.000000012Z");
  EXPECT_EQ(json["train_loss"].get<double>(), 0.1 + 0.2);
  EXPECT_EQ(json["learning_rate"].get<double>(), 1e-3);
  EXPECT_EQ(json["grad_norm"].get<double>(), 1.0 / 3);
  EXPECT_EQ(json["device_seconds"].get<double>(), 0.25);
  EXPECT_EQ(json["tokens_per_second"].get<double>(), 2048);
  EXPECT_FALSE(json.contains("skipped_blocks"));
  EXPECT_FALSE(json.contains("loss_scale"));
  EXPECT_FALSE(json.contains("overflowed"));
}

TEST(MetricsLineTest, AScaledLossHasItsScale) {
  v1::StepMetrics step = Step();
  step.set_loss_scale(65536);
  auto json = nlohmann::json::parse(LineOf({step}));
  EXPECT_EQ(json["loss_scale"], 65536);
  EXPECT_FALSE(json.contains("overflowed"));
  step.set_overflowed(true);
  json = nlohmann::json::parse(LineOf({step}));
  EXPECT_EQ(json["overflowed"], true);
}

TEST(MetricsLineTest, WhatIsNotKnownIsLeftOut) {
  v1::StepMetrics step = Step();
  step.clear_device();
  step.clear_grad_norm();
  step.set_skipped_blocks(3);
  step.set_train_loss(std::numeric_limits<double>::quiet_NaN());
  const auto json = nlohmann::json::parse(LineOf({step}));
  EXPECT_TRUE(json["train_loss"].is_null());
  EXPECT_EQ(json["skipped_blocks"], 3);
  for (const char* key : {"grad_norm", "device_seconds", "tokens_per_second"}) {
    EXPECT_FALSE(json.contains(key)) << key;
  }
}

TEST(MetricsLineTest, AnEvaluationHasAPerplexityOrAnAccuracy) {
  v1::EvaluationMetrics evaluation;
  evaluation.set_step(50);
  evaluation.set_split("validation");
  evaluation.set_loss(2.5);
  evaluation.set_perplexity(std::exp(2.5));
  evaluation.set_tokens(1000);
  auto json = nlohmann::json::parse(LineOf({evaluation}));
  EXPECT_EQ(json["split"], "validation");
  EXPECT_EQ(json["loss"].get<double>(), 2.5);
  EXPECT_EQ(json["perplexity"].get<double>(), std::exp(2.5));
  EXPECT_EQ(json["tokens"], 1000);
  EXPECT_FALSE(json.contains("accuracy"));
  evaluation.set_accuracy(0.75);
  json = nlohmann::json::parse(LineOf({evaluation}));
  EXPECT_EQ(json["accuracy"].get<double>(), 0.75);
  EXPECT_EQ(json["examples"], 1000);
  EXPECT_FALSE(json.contains("perplexity"));
}

TEST(MetricsLineTest, ALineIsOfOneMeasurement) {
  const MetricsRow row{Step()};
  EXPECT_EQ(PlaceOfLine(LineOf(row)), PlaceOfStep(17));
  EXPECT_TRUE(IsLineOf(LineOf(row), row));
  v1::StepMetrics later = Step();
  later.mutable_time()->set_nanos(13);
  EXPECT_FALSE(IsLineOf(LineOf(row), {later}));
  v1::StepMetrics other = Step();
  other.set_train_loss(0.3);
  EXPECT_FALSE(IsLineOf(LineOf(row), {other}));
  v1::EvaluationMetrics evaluation;
  evaluation.set_step(17);
  evaluation.set_split("test");
  evaluation.set_loss(1);
  EXPECT_EQ(PlaceOfLine(LineOf({evaluation})), FirstPlaceOf(17) + 1);
  EXPECT_TRUE(IsLineOf(LineOf({evaluation}), {evaluation}));
  EXPECT_FALSE(IsLineOf(LineOf({evaluation}), row));
  // Not one number is one line: NaN is as good as NaN.
  v1::StepMetrics nan = Step();
  nan.set_train_loss(std::nan(""));
  EXPECT_TRUE(IsLineOf(LineOf({nan}), {nan}));
}

TEST(MetricsLineTest, OtherTextIsNoLine) {
  for (const char* text :
       {"", "{", "7", "[1]", "{}", R"({"step":"1"})", R"({"step":1.5})",
        R"({"step":-1})", R"({"step":9223372036854775807})",
        R"({"step":1,"split":"train"})", R"({"step":1,"split":7})"}) {
    EXPECT_EQ(PlaceOfLine(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace hydra
