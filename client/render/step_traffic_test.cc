#include "client/render/step_traffic.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::ContainsRegex;

TEST(RenderStepTrafficTest, ShowsAStepBesideWhatWasToBeExpected) {
  v1::StepTraffic traffic;
  traffic.set_steps(4);
  traffic.mutable_promoted()->set_parameters(4 * 3072);
  traffic.mutable_cached()->set_parameters(4 * 1024);
  traffic.mutable_predicted_promoted()->set_parameters(4096);
  traffic.mutable_promoted()->set_activations(4 * 1024);
  traffic.mutable_predicted_promoted()->set_activations(4096);
  traffic.mutable_demoted()->set_parameter_gradients(4 * 512);
  traffic.mutable_predicted_demoted()->set_parameter_gradients(512);
  const std::string text = RenderStepTraffic(traffic, 0, false);
  EXPECT_THAT(text, ContainsRegex("parameters +3.0 KiB +4.0 KiB +0.750 +"
                                  "1.0 KiB +0 B +0 B +-"));
  EXPECT_THAT(text, ContainsRegex("waiting gradients +0 B +0 B +- +0 B +512 B +"
                                  "512 B +1.000"));
  EXPECT_THAT(text, ContainsRegex("all +4.0 KiB +8.0 KiB +0.500 +1.0 KiB +"
                                  "512 B +512 B +1.000"));
}

}  // namespace
}  // namespace hydra
