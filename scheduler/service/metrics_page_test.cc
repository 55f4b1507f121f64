#include "scheduler/service/metrics_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Steps = google::protobuf::RepeatedPtrField<v1::StepMetrics>;

// Seven steps, of which the last three are in memory, and evaluations before
// the first one, before the fourth, and after all, one with each split.
class MetricsPageTest : public ::testing::Test {
 protected:
  MetricsPageTest() {
    known_.mutable_status()->set_step(7);
    for (int step : {4, 5, 6}) known_.add_steps()->set_step(step);
    for (int step : {0, 3, 7, 7}) known_.add_evaluations()->set_step(step);
    known_.mutable_evaluations(3)->set_split("test");
  }

  v1::ListMetricsResponse Page(int64_t first, int most) {
    v1::ListMetricsResponse response;
    const absl::Status filled = FillMetrics(
        {first, most}, known_,
        [](int64_t begin, int64_t end) -> absl::StatusOr<Steps> {
          Steps steps;
          for (int64_t step = begin; step < end; ++step) {
            steps.Add()->set_step(step);
          }
          return steps;
        },
        &response);
    EXPECT_TRUE(filled.ok()) << filled;
    return response;
  }
  static std::vector<int> StepsOf(const v1::ListMetricsResponse& page) {
    std::vector<int> steps;
    for (const auto& step : page.steps()) steps.push_back(step.step());
    return steps;
  }
  static std::vector<int> EvaluationsOf(const v1::ListMetricsResponse& page) {
    std::vector<int> steps;
    for (const auto& found : page.evaluations()) steps.push_back(found.step());
    return steps;
  }

  v1::JobDetail known_;
};

TEST_F(MetricsPageTest, PagesHaveEachStepAndEachEvaluationOnce) {
  const auto first = Page(0, 3);
  EXPECT_THAT(StepsOf(first), ElementsAre(0, 1, 2));
  EXPECT_THAT(EvaluationsOf(first), ElementsAre(0));
  EXPECT_EQ(first.next_page_token(), "3");
  // From the disk and from memory.
  const auto second = Page(3, 3);
  EXPECT_THAT(StepsOf(second), ElementsAre(3, 4, 5));
  EXPECT_THAT(EvaluationsOf(second), ElementsAre(3));
  EXPECT_EQ(second.next_page_token(), "6");
  const auto last = Page(6, 3);
  EXPECT_THAT(StepsOf(last), ElementsAre(6));
  EXPECT_THAT(EvaluationsOf(last), ElementsAre(7, 7));
  EXPECT_EQ(last.next_page_token(), "");
}

TEST_F(MetricsPageTest, APageThatIsFullWithTheLastStepIsTheLast) {
  const auto page = Page(0, 7);
  EXPECT_THAT(StepsOf(page), ElementsAre(0, 1, 2, 3, 4, 5, 6));
  EXPECT_THAT(EvaluationsOf(page), ElementsAre(0, 3, 7, 7));
  EXPECT_EQ(page.next_page_token(), "");
}

TEST_F(MetricsPageTest, WhoHasAllStepsIsToldOfLaterEvaluations) {
  const auto page = Page(7, 3);
  EXPECT_THAT(StepsOf(page), IsEmpty());
  EXPECT_THAT(EvaluationsOf(page), ElementsAre(7, 7));
  EXPECT_EQ(page.next_page_token(), "");
  // The job went back to a checkpoint meanwhile.
  EXPECT_THAT(EvaluationsOf(Page(1'000'000, 3)), IsEmpty());
}

TEST_F(MetricsPageTest, OfAJobWithoutStepsInMemoryTheDiskHasAll) {
  known_.clear_steps();
  EXPECT_THAT(StepsOf(Page(5, 9)), ElementsAre(5, 6));
  known_.clear_status();
  known_.clear_evaluations();
  const auto page = Page(0, 9);
  EXPECT_THAT(StepsOf(page), IsEmpty());
  EXPECT_EQ(page.next_page_token(), "");
}

TEST_F(MetricsPageTest, WhatCannotBeReadIsAnError) {
  v1::ListMetricsResponse response;
  const auto broken = [](int64_t, int64_t) -> absl::StatusOr<Steps> {
    return absl::DataLossError("a bad page");
  };
  EXPECT_EQ(FillMetrics({0, 3}, known_, broken, &response).code(),
            absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace hydra
