#include "scheduler/service/client_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hydra {
namespace {

using ::testing::HasSubstr;

TEST(ClientRequestTest, TakesIdsAsTheServerWritesThem) {
  EXPECT_EQ(*ParseJobId("j7"), JobId(7));
  EXPECT_EQ(*ParseSweepId("s30"), SweepId(30));
  for (const char* text : {"", "j", "7", "s7", "j01", "j+1", "j 1", "j1 ", "J1",
                           "j-1", "j18446744073709551616", "j1\n"}) {
    EXPECT_EQ(ParseJobId(text).status().code(),
              absl::StatusCode::kInvalidArgument)
        << text;
  }
  EXPECT_THAT(std::string(ParseJobId("j\n").status().message()),
              HasSubstr("found 'j\\n'"));
}

TEST(ClientRequestTest, KnowsWhomACallIsAbout) {
  v1::WatchRequest request;
  EXPECT_TRUE(std::holds_alternative<AllJobs>(*ParseTarget(request)));
  request.set_job_id("j2");
  EXPECT_EQ(std::get<JobId>(*ParseTarget(request)), JobId(2));
  request.set_sweep_id("s2");
  EXPECT_EQ(std::get<SweepId>(*ParseTarget(request)), SweepId(2));
  request.set_sweep_id("j2");
  EXPECT_FALSE(ParseTarget(request).ok());
  // Whoever forgot the number means one job, and not all.
  request.set_job_id("");
  EXPECT_FALSE(ParseTarget(request).ok());
}

TEST(ClientRequestTest, RefusesStatesThatThereAreNot) {
  v1::ListJobsRequest request;
  EXPECT_TRUE(ParseStates(request)->empty());
  request.add_states(v1::JOB_STATE_FAILED);
  EXPECT_TRUE(ParseStates(request)->contains(v1::JOB_STATE_FAILED));
  for (int state : {0, 99, -1}) {
    request.set_states(0, static_cast<v1::JobState>(state));
    EXPECT_FALSE(ParseStates(request).ok()) << state;
  }
}

TEST(ClientRequestTest, BoundsPagesAndIntervals) {
  v1::ListJobsRequest list;
  EXPECT_EQ(*ParsePageSize(list), 1000);
  list.set_page_size(7);
  EXPECT_EQ(*ParsePageSize(list), 7);
  list.set_page_size(100'000);
  EXPECT_EQ(*ParsePageSize(list), 1000);
  list.set_page_size(-1);
  EXPECT_FALSE(ParsePageSize(list).ok());
  v1::WatchRequest watch;
  EXPECT_EQ(*ParseInterval(watch), absl::Milliseconds(200));
  watch.set_interval_ms(1);
  EXPECT_EQ(*ParseInterval(watch), absl::Milliseconds(20));
  watch.set_interval_ms(-20);
  EXPECT_FALSE(ParseInterval(watch).ok());
}

TEST(ClientRequestTest, GoesOnWhereAPageEnded) {
  const auto place = ParsePageToken(PageToken({SweepId(4), JobId(12)}));
  ASSERT_TRUE(place.ok());
  EXPECT_EQ(place->sweep, SweepId(4));
  EXPECT_EQ(place->job, JobId(12));
  for (const char* token : {"", "s4", "s4.", "j12.s4", "s4.j12.", "s04.j12"}) {
    EXPECT_FALSE(ParsePageToken(token).ok()) << token;
  }
}

TEST(ClientRequestTest, PagesOfMetricsBeginWhereTheOneBeforeEnded) {
  v1::ListMetricsRequest request;
  EXPECT_EQ(ParseMetricsPage(request)->first, 0);
  EXPECT_EQ(ParseMetricsPage(request)->most, 10'000);
  request.set_page_size(1'000'000);
  EXPECT_EQ(ParseMetricsPage(request)->most, 10'000);
  request.set_page_size(3);
  request.set_first_step(5);
  EXPECT_EQ(ParseMetricsPage(request)->first, 5);
  EXPECT_EQ(ParseMetricsPage(request)->most, 3);
  request.set_page_token(NumberToken(8));
  EXPECT_EQ(ParseMetricsPage(request)->first, 8);
  for (const char* token :
       {"0", "-1", "08", "+8", " 8", "8 ", "x", "9223372036854775808"}) {
    request.set_page_token(token);
    EXPECT_FALSE(ParseMetricsPage(request).ok()) << token;
  }
  request.clear_page_token();
  request.set_first_step(-1);
  EXPECT_FALSE(ParseMetricsPage(request).ok());
  request.set_first_step(0);
  request.set_page_size(-1);
  EXPECT_FALSE(ParseMetricsPage(request).ok());
}

TEST(ClientRequestTest, TheSameIdWithAnotherJobOrGridIsAnotherRequest) {
  v1::SubmitRequest request;
  request.set_request_id("r");
  request.mutable_job()->set_name("a");
  const std::string first = KeyOf(Caller{1}, request)->digest;
  EXPECT_EQ(first.size(), 32);
  EXPECT_EQ(KeyOf(Caller{2}, v1::SubmitRequest(request))->digest, first);
  request.add_grid()->set_field("train.learning_rate");
  const std::string with_grid = KeyOf(Caller{1}, request)->digest;
  EXPECT_NE(with_grid, first);
  request.mutable_job()->set_name("b");
  EXPECT_NE(KeyOf(Caller{1}, request)->digest, with_grid);
}

}  // namespace
}  // namespace hydra
