#include "client/render/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hydra {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

v1::JobPlan Plan(const std::string& rate) {
  v1::JobPlan plan;
  plan.set_name("tuned");
  plan.add_parameters("learning_rate=" + rate);
  plan.set_parameter_count(7'000'000'000);
  plan.set_trained_count(4'000'000);
  plan.set_layers(34);
  plan.set_least_device_bytes(int64_t{3} << 30);
  v1::DevicePlan& device = *plan.add_devices();
  device.set_memory_limit_bytes(int64_t{24} << 30);
  for (int cut : {15, 29}) device.add_cut_points(cut);
  device.set_forward_bytes(int64_t{12} << 30);
  device.set_backward_bytes(int64_t{23} << 30);
  device.set_evaluate_bytes(int64_t{13} << 30);
  device.mutable_pool_demand()->set_base_bytes(int64_t{26} << 30);
  device.mutable_pool_demand()->set_committed_bytes(int64_t{48} << 20);
  device.set_least_pool_bytes(int64_t{31} << 30);
  device.mutable_promoted()->set_parameters(int64_t{40} << 30);
  device.mutable_promoted()->set_activations(int64_t{2} << 30);
  device.mutable_demoted()->set_activations(int64_t{1} << 30);
  return plan;
}

TEST(PlanTest, EveryDeviceIsARowWithWhatTheJobTakes) {
  v1::PlanResponse response;
  *response.add_jobs() = Plan("1e-4");
  const std::string text = RenderPlan(response, 0, false);
  EXPECT_THAT(text, HasSubstr("tuned learning_rate=1e-4: "));
  EXPECT_THAT(text, HasSubstr("parameters in 34 layers, "));
  EXPECT_THAT(text, HasSubstr(" of them trained; a device of 3.0 GiB or more"));
  EXPECT_THAT(text,
              HasSubstr("24.0 GiB       3  12.0 GiB  23.0 GiB  13.0 GiB"));
  EXPECT_THAT(text, HasSubstr("42.0 GiB  1.0 GiB"));
}

TEST(PlanTest, JobsThatTakeTheSameAreShownOnce) {
  v1::PlanResponse response;
  for (const char* rate : {"1e-4", "2e-4", "3e-4"}) {
    *response.add_jobs() = Plan(rate);
  }
  response.mutable_jobs(1)->set_trained_count(8'000'000);
  const std::string text = RenderPlan(response, 0, false);
  EXPECT_THAT(text, HasSubstr("tuned learning_rate=1e-4 and 1 more alike: "));
  EXPECT_THAT(text, HasSubstr("tuned learning_rate=2e-4: "));
  EXPECT_THAT(text, Not(HasSubstr("3e-4")));
}

TEST(PlanTest, ADeviceThatIsTooSmallSaysWhy) {
  v1::PlanResponse response;
  v1::JobPlan& plan = *response.add_jobs() = Plan("1e-4");
  v1::DevicePlan& small = *plan.add_devices();
  small.set_memory_limit_bytes(int64_t{2} << 30);
  small.set_refusal("a layer alone needs 3 bytes");
  const std::string text = RenderPlan(response, 0, false);
  EXPECT_THAT(text, HasSubstr("2.0 GiB: a layer alone needs 3 bytes\n"));
  EXPECT_THAT(text, HasSubstr("24.0 GiB"));
}

}  // namespace
}  // namespace hydra
