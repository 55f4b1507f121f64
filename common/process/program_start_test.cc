#include "common/process/program_start.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <string>

#include "common/process/last_words.h"

namespace hydra {
namespace {

ProgramStart Shell(const std::string& script) {
  ProgramStart program;
  program.arguments = {"/bin/sh", "-c", script};
  return program;
}

int CodeOf(const ProgramStart& program) {
  const absl::StatusOr<pid_t> pid = StartProgram(program);
  if (!pid.ok()) return -1;
  int status = 0;
  EXPECT_EQ(waitpid(*pid, &status, 0), *pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(StartProgramTest, ItsEnvironmentIsWhatItIsGiven) {
  ProgramStart program = Shell("test \"$FACT\" = 'a b' -a -z \"$HOME\"");
  program.environment = {"FACT=a b"};
  EXPECT_EQ(CodeOf(program), 0);
}

TEST(StartProgramTest, WithStreamsOfItsOwnItReadsNothingAndIsHeard) {
  const ErrorText errors;
  ProgramStart program = Shell("cat; echo out; echo err >&2");
  program.environment = {"PATH=/usr/bin:/bin"};
  program.error_fd = errors.fd();
  program.has_own_streams = true;
  EXPECT_EQ(CodeOf(program), 0);
  EXPECT_EQ(errors.Tail(), "out\nerr\n");
}

TEST(StartProgramTest, ItHasAProcessGroupOfItsOwn) {
  ProgramStart program =
      Shell("read pid rest < /proc/self/stat; set -- $rest; test $pid = $4");
  EXPECT_EQ(CodeOf(program), 0);
}

TEST(StartProgramTest, OneThatIsNotThereIsAnError) {
  ProgramStart program;
  program.arguments = {"/no/such/program"};
  EXPECT_EQ(StartProgram(program).status().message(),
            "cannot start /no/such/program: No such file or directory");
}

}  // namespace
}  // namespace hydra
