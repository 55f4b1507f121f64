#include "scheduler/service/job_filter.h"

#include <gtest/gtest.h>

#include "common/status/proto_time.h"

namespace hydra {
namespace {

class JobFilterTest : public ::testing::Test {
 protected:
  JobFilterTest() {
    job_.set_name("gpt2-03");
    job_.set_owner_user(1000);
    *job_.mutable_submitted_at() = ToProto(absl::FromUnixSeconds(50));
  }
  bool Matches() const { return Matches(job_); }
  bool Matches(const v1::JobStatus& job) const {
    const absl::StatusOr<JobFilter> filter =
        JobFilter::Of(Caller{1000}, request_);
    EXPECT_TRUE(filter.ok()) << filter.status();
    return filter.ok() && filter->Matches(job);
  }

  v1::JobStatus job_;
  v1::ListJobsRequest request_;
};

TEST_F(JobFilterTest, WithoutFieldsAllMatch) {
  EXPECT_TRUE(Matches());
  EXPECT_TRUE(Matches(v1::JobStatus()));
}

TEST_F(JobFilterTest, ByOwner) {
  request_.set_owner("me");
  EXPECT_TRUE(Matches());
  EXPECT_FALSE(Matches(v1::JobStatus())) << "nobody's";
  request_.set_owner("1000");
  EXPECT_TRUE(Matches());
  request_.set_owner("root");
  EXPECT_FALSE(Matches());
  job_.set_owner_user(0);
  EXPECT_TRUE(Matches());
}

TEST_F(JobFilterTest, WhoComesByTcpHasTheJobsOfNobody) {
  request_.set_owner("me");
  const absl::StatusOr<JobFilter> filter = JobFilter::Of(Caller(), request_);
  ASSERT_TRUE(filter.ok()) << filter.status();
  EXPECT_TRUE(filter->Matches(v1::JobStatus()));
  EXPECT_FALSE(filter->Matches(job_));
}

TEST_F(JobFilterTest, ByName) {
  for (const char* name :
       {"gpt2", "-03", "gpt2-03", "gpt*", "*-0[1-5]", "?pt*"}) {
    request_.set_name(name);
    EXPECT_TRUE(Matches()) << name;
  }
  for (const char* name : {"GPT2", "gpt2-04", "gpt?", "pt2*"}) {
    request_.set_name(name);
    EXPECT_FALSE(Matches()) << name;
  }
}

TEST_F(JobFilterTest, ByTime) {
  const auto at = [](int seconds) {
    return ToProto(absl::FromUnixSeconds(seconds));
  };
  *request_.mutable_submitted_after() = at(50);
  EXPECT_TRUE(Matches());
  *request_.mutable_submitted_before() = at(50);
  EXPECT_FALSE(Matches());
  *request_.mutable_submitted_before() = at(51);
  EXPECT_TRUE(Matches());
  *request_.mutable_submitted_after() = at(51);
  EXPECT_FALSE(Matches());
}

// Nobody finds out a name by asking for it.
TEST_F(JobFilterTest, WhatIsWithheldMatchesNothing) {
  v1::JobStatus withheld;
  withheld.set_owner_user(1001);
  withheld.set_withheld(true);
  EXPECT_TRUE(Matches(withheld));
  request_.set_name("*");
  EXPECT_FALSE(Matches(withheld));
  request_.clear_name();
  *request_.mutable_submitted_before() = ToProto(absl::FromUnixSeconds(50));
  EXPECT_FALSE(Matches(withheld));
  request_.clear_submitted_before();
  request_.set_owner("1001");
  EXPECT_TRUE(Matches(withheld));
}

TEST_F(JobFilterTest, WhatNoRequestCanMean) {
  request_.set_owner("no-such-account");
  absl::Status status = JobFilter::Of(Caller{1000}, request_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(),
            "owner: there is no user 'no-such-account' on the server");
  request_.clear_owner();
  request_.set_name(std::string(201, 'n'));
  status = JobFilter::Of(Caller{1000}, request_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace hydra
