#include "worker/session/session_log.h"

#include <string>
#include <vector>

#include "glog/logging.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

using ::testing::ElementsAre;

class CapturedGlog : public google::LogSink {
 public:
  CapturedGlog() { google::AddLogSink(this); }
  ~CapturedGlog() override { google::RemoveLogSink(this); }

  void send(google::LogSeverity severity, const char*, const char*, int,
            const google::LogMessageTime&, const char* message,
            size_t length) override {
    lines.push_back(std::string(google::GetLogSeverityName(severity), 1) + " " +
                    std::string(message, length));
  }

  std::vector<std::string> lines;
};

TEST(SessionLogTest, WritesToTheProcessLogAndKeepsForTheDaemon) {
  LogBuffer buffer({});
  SessionLog log(&buffer);
  CapturedGlog glog;
  log.Log(LogSeverity::kError, {JobId(3), /*step=*/17, TaskId(99)},
          "loss is nan");
  log.Log(LogSeverity::kInfo, {JobId(3), /*step=*/-1, TaskId(100)}, "prepared");
  EXPECT_THAT(glog.lines, ElementsAre("E job=3 step=17 task=99 loss is nan",
                                      "I job=3 task=100 prepared"));
  worker::v1::WorkerReport report;
  buffer.Fill(/*max_bytes=*/1000, report);
  ASSERT_EQ(report.log_lines_size(), 2);
  EXPECT_EQ(report.log_lines(0).text(), "loss is nan");
}

}  // namespace
}  // namespace hydra
