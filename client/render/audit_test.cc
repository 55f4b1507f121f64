#include "client/render/audit.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;

TEST(RenderAuditTest, ALineForEachEntry) {
  v1::ListAuditResponse response;
  v1::AuditEntry* refused = response.add_entries();
  refused->mutable_time()->set_seconds(60);
  refused->set_name("bob");
  refused->set_pid(7);
  refused->set_rpc("Cancel");
  refused->set_target("j3");
  refused->set_result("PERMISSION_DENIED");
  refused->set_more_refusals(5);
  refused->set_lost_entries(2);
  v1::AuditEntry* done = response.add_entries();
  done->set_name("tcp");
  done->set_rpc("Submit");
  done->set_target("s2");
  done->set_jobs(12);
  done->set_result("OK");
  EXPECT_THAT(
      RenderAudit(response, 0, false, absl::UTCTimeZone()),
      AllOf(ContainsRegex("1970-01-01 00:01:00 +bob +7 +Cancel +j3 +- "
                          "+PERMISSION_DENIED +after 5 more refusals of this "
                          "user; 2 lines before are lost"),
            ContainsRegex("00:00:00 +tcp +- +Submit +s2 +12 +OK")));
}

}  // namespace
}  // namespace hydra
