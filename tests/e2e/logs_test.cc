// hydra logs, while its daemon is killed: whoever follows sees each line once.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "tests/e2e/cluster.h"
#include "tests/faults/fault_fixture.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kHydra[] = "client/hydra";

// Numbers and texts.
using Lines = std::vector<std::pair<int64_t, std::string>>;

class LogsTest : public FaultTest {
 protected:
  // Its evaluations write lines all the time.
  v1::JobSpec TalkativeSpec() const {
    v1::JobSpec spec = LongSpec();
    spec.mutable_evaluation()->set_eval_steps(3);
    return spec;
  }

  static Lines Kept(Cluster& cluster, const std::string& job) {
    grpc::ClientContext context;
    v1::StreamLogsRequest request;
    request.set_job_id(job);
    const auto reader = cluster.stub().StreamLogs(&context, request);
    Lines lines;
    v1::StreamLogsResponse response;
    while (reader->Read(&response)) {
      EXPECT_EQ(response.dropped_lines(), 0);
      for (const v1::LogLine& line : response.lines()) {
        lines.emplace_back(line.sequence(), line.text());
      }
    }
    EXPECT_TRUE(reader->Finish().ok());
    return lines;
  }

  // What `hydra logs -o json` printed.
  static Lines Printed(const std::string& path) {
    Lines lines;
    std::ifstream file(path);
    for (std::string text; std::getline(file, text);) {
      // What it says of the server is not of the log.
      if (!absl::StartsWith(text, "{")) continue;
      const auto message = nlohmann::json::parse(text, nullptr, false);
      if (message.is_discarded()) continue;
      for (const auto& line : message.value("lines", nlohmann::json::array())) {
        int64_t number = 0;
        EXPECT_TRUE(
            absl::SimpleAtoi(line.at("sequence").get<std::string>(), &number));
        lines.emplace_back(number, line.value("text", std::string()));
      }
    }
    return lines;
  }

  // 1, 2, 3 ...
  static void ExpectWithoutGaps(const Lines& lines) {
    for (size_t i = 0; i < lines.size(); ++i) {
      ASSERT_EQ(lines[i].first, i + 1) << lines[i].second;
    }
  }
};

TEST_F(LogsTest, AFollowerOfAKilledDaemonSeesEachLineOnce) {
  Cluster cluster(TwoDevices());
  const std::string job = cluster.Submit(TalkativeSpec());
  const std::string output = FreshDirectory() + "/followed";
  const pid_t follower = StartProgram(
      {kHydra, "--server", cluster.address(), "logs", job, "-f", "-o", "json"},
      output);
  for (int kill = 0; kill < 3; ++kill) {
    const size_t seen = Printed(output).size();
    // It has more of the log each time.
    cluster.Await([&] { return Printed(output).size() > seen + 2; });
    cluster.KillDaemon();
    cluster.StartDaemon();
  }
  ExpectExact(cluster.AwaitEnd(job));
  EXPECT_EQ(AwaitProgram(follower), 0);
  const Lines printed = Printed(output);
  EXPECT_THAT(printed, Not(IsEmpty()));
  ExpectWithoutGaps(printed);
  EXPECT_EQ(printed, Kept(cluster, job));
}

TEST_F(LogsTest, TheLogOfAnEarlierDaemonIsThere) {
  Cluster cluster({});
  const v1::JobDetail job = cluster.Run(spec());
  const std::string id = job.status().job_id();
  const Lines before = Kept(cluster, id);
  EXPECT_THAT(before, Not(IsEmpty()));
  ExpectWithoutGaps(before);
  cluster.StopDaemon();
  cluster.StartDaemon();
  EXPECT_EQ(Kept(cluster, id), before);
}

}  // namespace
}  // namespace hydra
