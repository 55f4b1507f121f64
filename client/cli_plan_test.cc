// hydra plan.

#include <fstream>
#include <string>

#include "client/testing/cli_fixture.h"
#include "common/jobfile/mistakes.h"
#include "common/status/rpc_status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using CliPlanTest = CliFixture;

TEST_F(CliPlanTest, PlanAsksForTheDevicesThatAreNamedAndSubmitsNothing) {
  v1::JobPlan& plan = *service_.plan_response.add_jobs();
  plan.set_name("tiny");
  plan.set_parameter_count(124'439'808);
  plan.set_trained_count(124'439'808);
  plan.add_devices()->set_memory_limit_bytes(int64_t{24} << 30);
  service_.plan_response.add_warnings("score.weight is not used");
  EXPECT_EQ(Run({"plan", JobFilePath(), "--device-memory", "24GiB,1GB"}),
            ExitCode::kOk);
  ASSERT_THAT(service_.plan_requests, SizeIs(1));
  const v1::PlanRequest& request = service_.plan_requests[0];
  EXPECT_THAT(request.device_memory_bytes(),
              ElementsAre(int64_t{24} << 30, 1'000'000'000));
  EXPECT_EQ(request.job().model().path(), scratch_.path() + "/models/tiny");
  EXPECT_THAT(service_.submit_requests, IsEmpty());
  EXPECT_THAT(out_.str(), HasSubstr("124.4 M parameters"));
  EXPECT_THAT(out_.str(), HasSubstr("24.0 GiB"));
  EXPECT_THAT(err_.str(), HasSubstr("warning: score.weight is not used"));
}

TEST_F(CliPlanTest, PlanTellsTheServersMistakesAndTheFilesTogether) {
  Mistakes mistakes;
  AddMistake("model.path", "/x does not exist", &mistakes);
  service_.error = ToGrpc(ToStatus(mistakes));
  std::ofstream(JobFilePath(), std::ios::app) << "nmae: tiny\n";
  EXPECT_EQ(Run({"plan", JobFilePath()}), ExitCode::kInvalid);
  EXPECT_THAT(err_.str(), HasSubstr("/x does not exist"));
  EXPECT_THAT(err_.str(), HasSubstr("nmae"));
  ASSERT_THAT(service_.plan_requests, SizeIs(1));
  EXPECT_THAT(service_.plan_requests[0].device_memory_bytes(), IsEmpty());
}

TEST_F(CliPlanTest, PlanRefusesWhatIsNoSize) {
  EXPECT_EQ(Run({"plan", JobFilePath(), "--device-memory", "24Gib,many"}),
            ExitCode::kInvalid);
  EXPECT_THAT(err_.str(), HasSubstr("--device-memory"));
  EXPECT_THAT(service_.plan_requests, IsEmpty());
}

}  // namespace
}  // namespace hydra
