#include "worker/data/chat/line_process.h"

#include <signal.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "worker/task/task_control.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;

std::unique_ptr<LineProcess> Python(const std::string& program,
                                    const LineProcess::Limits& limits = {}) {
  return *LineProcess::Start({"/usr/bin/python3", "-I", "-c", program}, limits);
}

constexpr char kEcho[] =
    "import sys\n"
    "for line in sys.stdin: print(eval(line), flush=True)\n";

TEST(LineProcessTest, AnswersEachLineWithALine) {
  TaskControl control;
  const auto process = Python(kEcho);
  EXPECT_EQ(*process->Ask("1 + 1", control), "2");
  EXPECT_EQ(*process->Ask("'x' * 1000000", control), std::string(1000000, 'x'));
  // Longer than a socket holds.
  EXPECT_EQ(
      *process->Ask(absl::StrCat("len('", std::string(3000000, 'y'), "')"),
                    control),
      "3000000");
}

TEST(LineProcessTest, WhoTakesTooMuchTimeIsRefused) {
  TaskControl control;
  LineProcess::Limits limits;
  limits.cpu = absl::Milliseconds(300);
  const auto process = Python(kEcho, limits);
  const auto answer = process->Ask("sum(1 for _ in iter(int, 1))", control);
  EXPECT_EQ(answer.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(answer.status().message(), HasSubstr("300ms of CPU time"));
}

TEST(LineProcessTest, WhoMakesTooMuchTextIsRefused) {
  TaskControl control;
  LineProcess::Limits limits;
  limits.answer_bytes = 1000000;
  const auto answer = Python(kEcho, limits)->Ask("'x' * 2000000", control);
  EXPECT_EQ(answer.status().code(), absl::StatusCode::kResourceExhausted);
}

TEST(LineProcessTest, HasAsMuchMemoryAsItMay) {
  TaskControl control;
  LineProcess::Limits limits;
  limits.memory_bytes = int64_t{256} << 20;
  const auto answer =
      Python(kEcho, limits)->Ask("len(bytearray(1 << 30))", control);
  EXPECT_EQ(answer.status().code(), absl::StatusCode::kUnavailable);
}

TEST(LineProcessTest, WritesNoFiles) {
  TaskControl control;
  const std::string path = ::testing::TempDir() + "/written";
  const auto process = Python(
      "import sys, signal\n"
      "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
      "for line in sys.stdin:\n"
      "  try:\n"
      "    f = open(line.strip(), 'w'); f.write('x'); f.close()\n"
      "    print('written', flush=True)\n"
      "  except OSError as error: print(error.strerror, flush=True)\n");
  EXPECT_EQ(*process->Ask(path, control), "File too large");
}

TEST(LineProcessTest, KeepsNoFilesOpen) {
  TaskControl control;
  EXPECT_EQ(
      *Python("import os, sys\n"
              "sys.stdin.readline()\n"
              "d = os.open('/proc/self/fd', os.O_RDONLY)\n"
              "print(sorted(int(n) for n in os.listdir(d)), flush=True)\n")
           ->Ask("", control),
      "[0, 1, 2, 3, 4]");
}

TEST(LineProcessTest, StopsWhenItsTaskDoes) {
  TaskControl control;
  control.Stop();
  const auto answer =
      Python("import time\nwhile True: time.sleep(1)\n")->Ask("x", control);
  EXPECT_EQ(answer.status().code(), absl::StatusCode::kAborted);
}

TEST(LineProcessTest, TellsHowItEnded) {
  TaskControl control;
  EXPECT_THAT(Python("import sys; sys.stdin.readline(); sys.exit(3)")
                  ->Ask("x", control)
                  .status()
                  .message(),
              HasSubstr("with code 3"));
  const auto process = *LineProcess::Start({"/no/such/program"}, {});
  EXPECT_EQ(process->Ask("x", control).status().code(),
            absl::StatusCode::kNotFound);
}

TEST(LineProcessTest, EndsWithItsObject) {
  TaskControl control;
  auto process = Python(
      "import os, sys\nfor line in sys.stdin: print(os.getpid(), "
      "flush=True)\n");
  const pid_t pid = std::stoi(*process->Ask("", control));
  EXPECT_EQ(kill(pid, 0), 0);
  process.reset();
  EXPECT_NE(kill(pid, 0), 0);
}

}  // namespace
}  // namespace hydra
