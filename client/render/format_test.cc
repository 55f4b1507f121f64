#include "client/render/format.h"

#include "gtest/gtest.h"

namespace hydra {
namespace {

TEST(TruncateToWidthTest, CountsCodePointsAndMarksTheLoss) {
  EXPECT_EQ(TruncateToWidth("abcdef", 6), "abcdef");
  EXPECT_EQ(TruncateToWidth("abcdef", 4), "abc…");
  EXPECT_EQ(TruncateToWidth("äöüß", 3), "äö…");
  EXPECT_EQ(TruncateToWidth("abcdef", 0), "abcdef");
  EXPECT_EQ(DisplayWidth("äöüß…"), 5);
}

TEST(BytesTextTest, PicksTheUnit) {
  EXPECT_EQ(BytesText(0), "0 B");
  EXPECT_EQ(BytesText(1023), "1023 B");
  EXPECT_EQ(BytesText(1536), "1.5 KiB");
  EXPECT_EQ(BytesText((int64_t{1} << 30) - 1), "1.0 GiB");
  EXPECT_EQ(BytesText(int64_t{8} << 30), "8.0 GiB");
}

TEST(DurationTextTest, ShowsTheTwoLargestUnits) {
  EXPECT_EQ(DurationText(absl::Milliseconds(420)), "0.4s");
  EXPECT_EQ(DurationText(absl::Seconds(42)), "42s");
  EXPECT_EQ(DurationText(absl::Seconds(185)), "3m05s");
  EXPECT_EQ(DurationText(absl::Minutes(127)), "2h07m");
  EXPECT_EQ(DurationText(absl::Hours(76)), "3d04h");
  EXPECT_EQ(DurationText(absl::InfiniteDuration()), "-");
}

TEST(TimeTextTest, UsesTheGivenZone) {
  google::protobuf::Timestamp time;
  time.set_seconds(1'700'000'000);
  EXPECT_EQ(TimeText(time, absl::UTCTimeZone()), "2023-11-14 22:13:20");
}

TEST(LossTextTest, KeepsSmallAndLargeValuesReadable) {
  EXPECT_EQ(LossText(3.14159), "3.1416");
  EXPECT_EQ(LossText(0.00001234), "1.23e-05");
  EXPECT_EQ(LossText(0), "0.0000");
  EXPECT_EQ(PerplexityText(31.456), "31.46");
  EXPECT_EQ(PerplexityText(3.2e9), "3.20e+09");
}

TEST(StateNameTest, IsTheLowerCaseWord) {
  EXPECT_EQ(StateName(v1::JOB_STATE_PENDING), "pending");
  EXPECT_EQ(StateName(v1::JOB_STATE_PAUSED), "paused");
  EXPECT_EQ(PhaseName(v1::JOB_PHASE_EVALUATE), "evaluate");
  EXPECT_EQ(StateName(v1::WORKER_STATE_READY), "ready");
  EXPECT_EQ(StateName(static_cast<v1::JobState>(99)), "unknown");
}

TEST(ForecastTextTest, NamesTheDayWhereItIsNotToday) {
  const absl::TimeZone utc = absl::UTCTimeZone();
  const absl::Time now =
      absl::FromCivil(absl::CivilSecond(2026, 12, 30, 14, 20, 0), utc);
  const auto text = [&](absl::Duration later, absl::TimeZone zone) {
    google::protobuf::Timestamp time;
    time.set_seconds(absl::ToUnixSeconds(now + later));
    return ForecastText(time, now, zone);
  };
  EXPECT_EQ(text(absl::Minutes(65), utc), "~15:25");
  EXPECT_EQ(text(absl::Hours(10), utc), "~Dec 31 00:20");
  EXPECT_EQ(text(absl::Hours(60), utc), "~Jan 2 2027 02:20");
  EXPECT_EQ(text(absl::Hours(10), absl::FixedTimeZone(-12 * 3600)), "~12:20")
      << "the day is the reader's";
}

TEST(HasEndedTest, APausedJobHasNot) {
  v1::JobStatus job;
  for (const v1::JobState state :
       {v1::JOB_STATE_PENDING, v1::JOB_STATE_RUNNING, v1::JOB_STATE_PAUSED}) {
    job.set_state(state);
    EXPECT_FALSE(HasEnded(job)) << StateName(state);
  }
  for (const v1::JobState state :
       {v1::JOB_STATE_COMPLETED, v1::JOB_STATE_FAILED,
        v1::JOB_STATE_CANCELLED}) {
    job.set_state(state);
    EXPECT_TRUE(HasEnded(job)) << StateName(state);
  }
}

}  // namespace
}  // namespace hydra
