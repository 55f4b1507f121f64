// hydra run, with a daemon of its own.

#include <cstdlib>
#include <filesystem>
#include <string>

#include "client/testing/cli_fixture.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RunVerbTest : public CliFixture {
 protected:
  RunVerbTest() {
    environment_["HYDRAD"] = fs::absolute("client/testing/fake_hydrad");
  }

  ExitCode RunMode(const char* mode) {
    setenv("FAKE_HYDRAD", mode, /*overwrite=*/1);
    return Run({"run", JobFilePath(), "--state-dir", StateDir()});
  }

  std::string StateDir() const { return scratch_.path() + "/state"; }
};

TEST_F(RunVerbTest, TrainsWithADaemonOfItsOwnAndEndsIt) {
  EXPECT_EQ(RunMode(""), ExitCode::kOk);
  EXPECT_THAT(out_.str(), AllOf(HasSubstr("RANK"), HasSubstr("1.5000")));
  EXPECT_THAT(err_.str(), HasSubstr(StateDir()));
  EXPECT_TRUE(fs::exists(StateDir() + "/ended"));
  EXPECT_THAT(service_.submit_requests, IsEmpty()) << "that is another server";
}

TEST_F(RunVerbTest, AFailedJobIsOne) {
  EXPECT_EQ(RunMode("fail"), ExitCode::kFailed);
}

TEST_F(RunVerbTest, ShowsWhyTheDaemonDied) {
  EXPECT_EQ(RunMode("die"), ExitCode::kUnavailable);
  EXPECT_THAT(err_.str(), HasSubstr("cannot allocate the pool"));
}

TEST_F(RunVerbTest, EndsWhenNoWorkerCanStart) {
  EXPECT_EQ(RunMode("lame"), ExitCode::kUnavailable);
  EXPECT_THAT(err_.str(), AllOf(HasSubstr("cannot start: no libtorch.so"),
                                HasSubstr(StateDir() + "/hydrad.log")));
}

TEST_F(RunVerbTest, RefusesAWrongSizeBeforeStartingAnything) {
  EXPECT_EQ(Run({"run", JobFilePath(), "--pool-size", "lots"}),
            ExitCode::kInvalid);
  EXPECT_THAT(err_.str(), HasSubstr("--pool-size"));
  EXPECT_EQ(Run({"run", JobFilePath(), "--hydrad", "/no/such"}),
            ExitCode::kNotFound);
}

}  // namespace
}  // namespace hydra
