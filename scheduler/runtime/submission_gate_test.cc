#include "scheduler/runtime/submission_gate.h"

#include <gtest/gtest.h>

#include <thread>

namespace hydra {
namespace {

TEST(SubmissionGateTest, LetsThroughWhatIsRecorded) {
  SubmissionGate gate;
  gate.Recorded(7);
  EXPECT_TRUE(gate.Await(7).ok());
  absl::Status later = absl::InternalError("not asked");
  std::thread waiter([&] { later = gate.Await(8); });
  gate.Recorded(9);
  waiter.join();
  EXPECT_TRUE(later.ok());
}

TEST(SubmissionGateTest, TellsWhyOneWasRefused) {
  SubmissionGate gate;
  gate.Refused(3, absl::ResourceExhaustedError("the disk is full"));
  gate.Recorded(3);
  const absl::Status refused = gate.Await(3);
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_NE(refused.message().find("the disk is full"), std::string::npos);
}

TEST(SubmissionGateTest, AFailingDiskIsNotAFullOne) {
  SubmissionGate gate;
  gate.Refused(3, absl::InternalError("disk I/O error"));
  EXPECT_EQ(gate.Await(3).code(), absl::StatusCode::kUnavailable);
}

TEST(SubmissionGateTest, TellsEverybodyWhoAsks) {
  SubmissionGate gate;
  absl::Status first;
  absl::Status second;
  std::thread client([&] { first = gate.Await(3); });
  std::thread retry([&] { second = gate.Await(3); });
  gate.Refused(3, absl::ResourceExhaustedError("the disk is full"));
  gate.Recorded(3);
  client.join();
  retry.join();
  EXPECT_EQ(first.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(second, first);
}

TEST(SubmissionGateTest, NobodyWaitsForAServerThatStops) {
  SubmissionGate gate;
  absl::Status answer;
  std::thread waiter([&] { answer = gate.Await(1); });
  gate.Stop();
  waiter.join();
  EXPECT_EQ(answer.code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace hydra
