// A program of the admin's is told what becomes of jobs.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/file/scratch_directory.h"
#include "tests/e2e/cluster.h"
#include "tests/e2e/small_job.h"

namespace hydra {
namespace {

using ::testing::HasSubstr;

TEST(NotifyTest, AJobThatEndsIsToldOnceThoughHydradStartsAgain) {
  const ScratchDirectory folder;
  const std::string program = folder.PathOf("program");
  const std::string told = folder.PathOf("told");
  std::ofstream(program)
      << "#!/bin/sh\n"
         "echo \"$HYDRA_EVENT ${HYDRA_JOB_ID:-$HYDRA_SWEEP_ID} "
         "$HYDRA_JOB_NAME ${HYDRA_STEP:-$HYDRA_COMPLETED_JOBS}\" >> "
      << told << "\n";
  ASSERT_EQ(chmod(program.c_str(), 0755), 0);
  const auto text = [&told] {
    std::stringstream lines;
    lines << std::ifstream(told).rdbuf();
    return lines.str();
  };

  Cluster::Options options;
  options.settings.push_back("notify=" + program);
  Cluster cluster(options);
  const SmallJobFiles files = MakeSmallJobFiles(cluster.directory());
  hydra::v1::JobSpec job = SmallJob(files, {2});
  job.set_name("first");
  const std::string first = cluster.Submit(job);
  const auto has_both = [&] {
    const std::string lines = text();
    return std::count(lines.begin(), lines.end(), '\n') == 2;
  };
  cluster.AwaitEnd(first);
  cluster.Await(has_both);
  EXPECT_THAT(text(), HasSubstr(absl::StrCat("completed ", first, " first 6")));
  EXPECT_THAT(text(), HasSubstr("sweep_ended s1 first 1\n"));

  cluster.KillDaemon();
  cluster.StartDaemon();
  job.set_name("second");
  cluster.AwaitEnd(cluster.Submit(job));
  // It tells what it still has to when it ends.
  cluster.StopDaemon();
  const std::string lines = text();
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 4) << lines;
  EXPECT_THAT(lines, HasSubstr("sweep_ended s2 second 1\n"));
}

}  // namespace
}  // namespace hydra
