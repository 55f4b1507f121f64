#include "client/doctor/diagnose.h"

#include "client/connection/socket_access.h"
#include "common/status/proto_time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Level = Finding::Level;

constexpr int64_t kGiB = int64_t{1} << 30;

class DiagnoseTest : public ::testing::Test {
 protected:
  DiagnoseTest() {
    facts_.client_version = "1.2.3";
    facts_.address = "unix:/run/h.sock";
    facts_.socket = SocketAccess();
    facts_.asked_at = absl::FromUnixSeconds(1000);
    facts_.answered_at = absl::FromUnixSeconds(1000) + absl::Milliseconds(3);
    info_.set_version("1.2.3");
    info_.set_state_dir("/var/lib/hydra");
    info_.set_state_free_bytes(100 * kGiB);
    *info_.mutable_server_time() = ToProto(absl::FromUnixSeconds(1000));
    info_.set_pool_path("/dev/shm/pool");
    info_.set_pool_bytes(8 * kGiB);
    info_.set_pool_is_memory(true);
    info_.set_pool_is_locked(true);
    info_.set_cpu_model("A processor");
    info_.set_cpu_has_avx2(true);
    v1::WorkerStatus& worker = *workers_.add_workers();
    worker.set_device("cpu:0");
    worker.set_state(v1::WORKER_STATE_READY);
  }

  std::vector<Finding> Find() {
    facts_.info = info_;
    facts_.workers = workers_;
    return Diagnose(facts_);
  }

  // Without info nothing but the connection is known.
  Finding WhenAway(absl::Status status) {
    facts_.info = std::move(status);
    const std::vector<Finding> findings = Diagnose(facts_);
    EXPECT_EQ(findings.size(), 1);
    EXPECT_EQ(findings[0].subject, "connection");
    EXPECT_EQ(findings[0].level, Level::kFailure);
    EXPECT_NE(findings[0].remedy, "");
    return findings[0];
  }

  // The one finding that is not well, of so many.
  Finding OnlyTrouble() {
    Finding trouble;
    for (const Finding& finding : Find()) {
      if (finding.level == Level::kOk) continue;
      EXPECT_EQ(trouble.level, Level::kOk) << trouble.text;
      EXPECT_NE(finding.remedy, "") << finding.text;
      trouble = finding;
    }
    return trouble;
  }

  DoctorFacts facts_;
  v1::GetServerInfoResponse info_;
  v1::ListWorkersResponse workers_;
};

TEST_F(DiagnoseTest, AWholeServerHasNoRemedies) {
  const std::vector<Finding> findings = Find();
  std::vector<std::string> subjects;
  for (const Finding& finding : findings) subjects.push_back(finding.subject);
  EXPECT_THAT(subjects, ElementsAre("connection", "version", "clock", "disk",
                                    "pool", "processor", "worker cpu:0"));
  EXPECT_THAT(findings, Each(Field(&Finding::level, Level::kOk)));
  EXPECT_THAT(findings, Each(Field(&Finding::remedy, IsEmpty())));
  EXPECT_EQ(findings[0].text, "unix:/run/h.sock answers in 3.0 ms");
}

TEST_F(DiagnoseTest, WhatAnOlderServerDoesNotSayIsLeftOut) {
  info_ = {};
  info_.set_version("1.2.3");
  std::vector<std::string> subjects;
  for (const Finding& finding : Find()) subjects.push_back(finding.subject);
  EXPECT_THAT(subjects, ElementsAre("connection", "version", "worker cpu:0"));
}

TEST_F(DiagnoseTest, ASocketThatIsNotForThisUserNamesItsGroup) {
  facts_.socket = {SocketAccess::Kind::kClosed,
                   "/run/h.sock",
                   false,
                   0140660,
                   "hydra",
                   "gpus",
                   "alice"};
  const Finding finding = WhenAway(absl::PermissionDeniedError("no"));
  EXPECT_EQ(finding.text,
            "you may not use the socket /run/h.sock: it is for group gpus");
  EXPECT_EQ(finding.remedy,
            "Ask for: sudo usermod -aG gpus alice, then log in again");
}

TEST_F(DiagnoseTest, SaysWhyNobodyAnswers) {
  using Kind = SocketAccess::Kind;
  const absl::Status away = absl::UnavailableError("server x: refused");
  EXPECT_THAT(WhenAway(away).text, HasSubstr("server x: refused"));
  facts_.socket->kind = Kind::kMissing;
  EXPECT_THAT(WhenAway(away).text, HasSubstr("/run/h.sock is not there"));
  facts_.socket->kind = Kind::kNoSocket;
  EXPECT_THAT(WhenAway(away).text, HasSubstr("is no socket"));
  facts_.socket = {Kind::kClosed, "/run", true, 040700, "bob", "bob", "alice"};
  EXPECT_THAT(WhenAway(away).text, HasSubstr("its folder /run (mode 0700)"));
  facts_.socket.reset();
  facts_.address = "ssh://gpu1";
  EXPECT_THAT(WhenAway(away).remedy, HasSubstr("ssh HOST"));
  facts_.address = absl::UnavailableError("found no hydrad");
  EXPECT_THAT(WhenAway(away).text, HasSubstr("found no hydrad"));
}

TEST_F(DiagnoseTest, AnotherVersionIsAWarning) {
  info_.set_version("1.3.0");
  const Finding trouble = OnlyTrouble();
  EXPECT_EQ(trouble.level, Level::kWarning);
  EXPECT_THAT(trouble.text,
              HasSubstr("client is Hydra 1.2.3, the server is 1.3.0"));
}

TEST_F(DiagnoseTest, ClocksMayDifferByLittle) {
  info_.mutable_server_time()->set_seconds(1002);
  EXPECT_EQ(OnlyTrouble().text, "");
  info_.mutable_server_time()->set_seconds(1000 + 90);
  EXPECT_THAT(OnlyTrouble().text, HasSubstr("1m30s ahead of this machine's"));
  info_.mutable_server_time()->set_seconds(1000 - 90);
  EXPECT_THAT(OnlyTrouble().text, HasSubstr("1m30s behind this machine's"));
}

TEST_F(DiagnoseTest, AFullDiskIsAFailureAndASmallOneAWarning) {
  info_.set_state_free_bytes(2 * kGiB);
  EXPECT_EQ(OnlyTrouble().level, Level::kWarning);
  info_.set_state_free_bytes(kGiB / 2);
  const Finding trouble = OnlyTrouble();
  EXPECT_EQ(trouble.level, Level::kFailure);
  EXPECT_EQ(trouble.text, "512.0 MiB are free for /var/lib/hydra");
}

TEST_F(DiagnoseTest, APoolOnADiskAndAProcessorWithoutAvx2AreSlow) {
  info_.set_pool_is_locked(false);
  EXPECT_EQ(OnlyTrouble().text, "") << "memory all the same";
  info_.set_pool_is_memory(false);
  EXPECT_EQ(OnlyTrouble().subject, "pool");
  info_.set_pool_is_memory(true);
  info_.set_cpu_has_avx2(false);
  EXPECT_THAT(OnlyTrouble().text, HasSubstr("A processor has no AVX2"));
}

TEST_F(DiagnoseTest, AWorkerThatCannotStartIsAFailureWithItsReason) {
  v1::WorkerStatus& worker = *workers_.mutable_workers(0);
  worker.set_state(v1::WORKER_STATE_STARTING);
  EXPECT_EQ(OnlyTrouble().level, Level::kWarning);
  worker.set_reason("cannot start: no libtorch.so");
  const Finding trouble = OnlyTrouble();
  EXPECT_EQ(trouble.level, Level::kFailure);
  EXPECT_EQ(trouble.text, "starting: cannot start: no libtorch.so");
}

TEST_F(DiagnoseTest, WhatIsDrainedIsAWarningWithItsReason) {
  v1::WorkerStatus& worker = *workers_.mutable_workers(0);
  worker.set_draining(true);
  worker.set_drain_reason("new fan");
  EXPECT_EQ(OnlyTrouble().level, Level::kWarning);
  EXPECT_EQ(OnlyTrouble().text, "drained: new fan");
  worker.set_draining(false);
  info_.set_maintenance("driver update");
  EXPECT_EQ(OnlyTrouble().subject, "maintenance");
  EXPECT_EQ(OnlyTrouble().text, "no task begins: driver update");
}

TEST_F(DiagnoseTest, AGpuOfWhichTheDriverTellsNothingIsAWarning) {
  v1::WorkerStatus& worker = *workers_.mutable_workers(0);
  worker.set_device("cuda:0");
  EXPECT_EQ(OnlyTrouble().subject, "worker cuda:0");
  worker.mutable_gpu()->set_model("NVIDIA H200");
  EXPECT_EQ(OnlyTrouble().text, "");
  EXPECT_THAT(Find().back().text, HasSubstr("NVIDIA H200"));
}

}  // namespace
}  // namespace hydra
