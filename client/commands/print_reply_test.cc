#include "client/commands/print_reply.h"

#include <sstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hydra/v1/hydra.pb.h"

namespace hydra {
namespace {

std::string Printed(OutputFormat format) {
  v1::ListJobsResponse reply;
  reply.add_jobs()->set_job_id("j1");
  reply.add_jobs()->set_job_id("j\x1b");
  std::ostringstream out;
  CliContext context;
  context.out = &out;
  PrintReply(
      context, format, reply, [] { return std::string("a table\n"); },
      [&] { return IdsOf(reply.jobs()); });
  return out.str();
}

TEST(PrintReplyTest, PrintsWhatWasAskedForAndNothingElse) {
  EXPECT_EQ(Printed(OutputFormat::kTable), "a table\n");
  EXPECT_EQ(Printed(OutputFormat::kId), "j1\nj\\x1b\n");
  EXPECT_THAT(Printed(OutputFormat::kJson),
              testing::AllOf(testing::StartsWith("{"),
                             testing::HasSubstr("\"job_id\": \"j1\""),
                             testing::Not(testing::HasSubstr("a table"))));
}

}  // namespace
}  // namespace hydra
