#include "scheduler/service/drain_order.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Optional;

TEST(DrainOrderTest, NamesDevicesOrMeansTheServer) {
  v1::DrainRequest request;
  EXPECT_THAT(ParseDrain(request).status().message(),
              HasSubstr("names of devices are needed"));
  request.add_devices("cpu:0");
  request.add_devices("cpu:1");
  request.set_reason("new\nfan");
  const auto devices = ParseDrain(request);
  ASSERT_TRUE(devices.ok()) << devices.status();
  EXPECT_THAT(devices->devices, ElementsAre("cpu:0", "cpu:1"));
  EXPECT_THAT(devices->reason, Optional(std::string("new\\nfan")));
  EXPECT_EQ(DrainTarget(request), "cpu:0,cpu:1");
  request.set_all(true);
  EXPECT_THAT(ParseDrain(request).status().message(), HasSubstr("beside all"));
  request.clear_devices();
  const auto all = ParseDrain(request);
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_THAT(all->devices, IsEmpty());
  EXPECT_EQ(DrainTarget(request), "all");
}

TEST(DrainOrderTest, WithoutAReasonItIsDrainedAllTheSame) {
  v1::DrainRequest request;
  request.set_all(true);
  EXPECT_THAT(ParseDrain(request)->reason, Optional(std::string()));
  request.set_undrain(true);
  EXPECT_EQ(ParseDrain(request)->reason, std::nullopt);
  EXPECT_EQ(DrainTarget(request), "undrain all");
  request.set_reason("done");
  EXPECT_EQ(ParseDrain(request).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(DrainOrderTest, AReasonIsShort) {
  v1::DrainRequest request;
  request.set_all(true);
  request.set_reason(std::string(200, 'a'));
  EXPECT_TRUE(ParseDrain(request).ok());
  request.set_reason(std::string(201, 'a'));
  EXPECT_THAT(ParseDrain(request).status().message(),
              HasSubstr("found 201 bytes; at most 200"));
}

TEST(DrainOrderTest, WhoSubmitsIsToldWhy) {
  EXPECT_EQ(MaintenanceWarning("driver update"),
            "the server is in maintenance: driver update; jobs wait until it "
            "ends");
  EXPECT_EQ(MaintenanceWarning(""),
            "the server is in maintenance; jobs wait until it ends");
}

}  // namespace
}  // namespace hydra
