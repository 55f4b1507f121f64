// hydra metrics.

#include <string>

#include "client/testing/cli_fixture.h"
#include "common/status/rpc_status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

class CliMetricsTest : public CliFixture {
 protected:
  CliMetricsTest() {
    v1::ListMetricsResponse& first = service_.metrics_pages[""];
    first.add_steps()->set_train_loss(3.5);
    first.set_next_page_token("1");
    v1::ListMetricsResponse& second = service_.metrics_pages["1"];
    v1::StepMetrics& step = *second.add_steps();
    step.set_step(1);
    step.set_train_loss(2.25);
    v1::EvaluationMetrics& evaluation = *second.add_evaluations();
    evaluation.set_step(2);
    evaluation.set_split("validation");
    evaluation.set_loss(2);
  }
};

TEST_F(CliMetricsTest, PrintsAllPagesAsOneTable) {
  EXPECT_EQ(Run({"metrics", "j1"}), ExitCode::kOk);
  EXPECT_THAT(
      OutLines(),
      ElementsAre(StartsWith("split,step,loss,"), StartsWith("train,0,3.5,"),
                  StartsWith("train,1,2.25,"), StartsWith("validation,2,2,")));
  ASSERT_THAT(service_.metrics_requests, SizeIs(2));
  EXPECT_EQ(service_.metrics_requests[1].job_id(), "j1");
  EXPECT_EQ(service_.metrics_requests[1].page_token(), "1");
}

TEST_F(CliMetricsTest, PrintsAllPagesAsOneReply) {
  EXPECT_EQ(Run({"metrics", "j1", "-o", "json"}), ExitCode::kOk);
  const auto reply = nlohmann::json::parse(out_.str());
  EXPECT_EQ(reply["steps"].size(), 2u);
  EXPECT_EQ(reply["evaluations"][0]["split"], "validation");
  EXPECT_EQ(reply["next_page_token"], "");
}

TEST_F(CliMetricsTest, SaysWhatIsWrongAndPrintsNothing) {
  EXPECT_EQ(Run({"metrics"}), ExitCode::kInvalid);
  EXPECT_EQ(Run({"metrics", "s1"}), ExitCode::kInvalid);
  EXPECT_EQ(Run({"metrics", "j1", "-o", "xml"}), ExitCode::kInvalid);
  EXPECT_THAT(service_.metrics_requests, IsEmpty());
  service_.error = ToGrpc(absl::NotFoundError("there is no job j9"));
  EXPECT_EQ(Run({"metrics", "j9"}), ExitCode::kNotFound);
  EXPECT_THAT(err_.str(), HasSubstr("there is no job j9"));
  EXPECT_THAT(out_.str(), IsEmpty());
}

}  // namespace
}  // namespace hydra
