// Memory that is short: of the device, of the pool, of what may be locked.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/file/scratch_directory.h"
#include "glog/logging.h"
#include "tests/faults/fault_fixture.h"
#include "tests/faults/small_disk.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
namespace v1 = hydra::v1;
using ::testing::ExitedWithCode;
using ::testing::HasSubstr;

std::vector<std::string> HydradIn(const std::string& directory) {
  return {"scheduler/hydrad", "--device=cpu:0=64MiB",
          "--set=state_dir=" + directory + "/state",
          "--set=pool.path=" + directory + "/pool",
          "--set=pool.size_bytes=64MiB"};
}

class MemoryFaultsTest : public FaultTest {};

TEST_F(MemoryFaultsTest, F11ALowerLimitOfTheDevice) {
  Cluster cluster(Options());
  v1::JobSpec wide = spec();
  // A block of 10 MB, and as much for its gradient.
  const std::string model = FreshDirectory();
  WriteFile(model + "/config.json",
            absl::StrReplaceAll(ReadFile(files().tiny_model + "/config.json"),
                                {{"\"n_embd\": 64", "\"n_embd\": 448"},
                                 {"\"n_layer\": 2", "\"n_layer\": 1"}}));
  wide.mutable_model()->set_path(model);
  wide.clear_partition();
  for (int cut : {1, 2}) wide.mutable_partition()->add_cut_points(cut);
  wide.mutable_model()->set_init(v1::INITIALIZATION_RANDOM);
  wide.mutable_train()->set_max_steps(1'000'000);
  const std::string too_large = cluster.Submit(wide);
  cluster.AwaitStep(too_large, 1);
  cluster.StopDaemon();
  Cluster::Options lower = Options();
  lower.devices = {"cpu:0=16MiB"};
  cluster.StartDaemon(lower);
  const std::string small = cluster.Submit(spec());
  const v1::JobDetail failed = cluster.AwaitEnd(too_large);
  EXPECT_EQ(failed.status().state(), v1::JOB_STATE_FAILED);
  EXPECT_THAT(failed.status().reason(), HasSubstr("RESOURCE_EXHAUSTED"));
  const v1::JobDetail done = cluster.AwaitEnd(small);
  EXPECT_EQ(cluster.Restarts(), 0);
  Row("F11", "the device's limit lowered from 64 to 16 MiB",
      failed.status().reason(), std::nullopt, ExpectExact(done));
}

TEST_F(MemoryFaultsTest, F13MoreJobsThanThePoolHolds) {
  constexpr int kJobs = 24;
  Cluster::Options options = Options();
  options.settings = {"pool.size_bytes=64MiB"};
  Cluster cluster(options);
  v1::JobSpec job_spec = spec();
  job_spec.mutable_train()->set_per_device_train_batch_size(64);
  job_spec.mutable_train()->set_max_steps(2);
  job_spec.mutable_train()->set_gradient_accumulation_steps(1);
  job_spec.mutable_output()->set_save_model(false);
  const std::vector<std::string> jobs =
      SubmitEqualJobs(cluster, job_spec, kJobs);
  std::string reason;
  cluster.Await([&] {
    for (const std::string& job : jobs) {
      const v1::JobStatus status = cluster.Job(job).status();
      if (status.state() == v1::JOB_STATE_PENDING &&
          absl::StrContains(status.reason(), "pool") &&
          absl::StrContains(status.reason(), "bytes")) {
        reason = status.reason();
      }
    }
    return !reason.empty();
  });
  for (const std::string& job : jobs) {
    const v1::JobDetail done = cluster.AwaitEnd(job);
    EXPECT_EQ(done.status().state(), v1::JOB_STATE_COMPLETED)
        << done.status().reason();
  }
  const std::string daemon =
      ReadFile(absl::StrCat("/proc/", cluster.daemon_pid(), "/status"));
  EXPECT_THAT(daemon, HasSubstr("VmSwap:\t       0 kB"));
  EXPECT_EQ(cluster.Restarts(), 0);
  Row("F13", absl::StrCat(kJobs, " jobs for a pool of 64 MiB"),
      absl::StrCat("\"", reason, "\", all complete, nothing swapped"),
      std::nullopt, std::nullopt);
}

// Not to be undone: for a child process. Whoever has the capability is above
// the limit.
void LimitLockedMemory() {
  const rlimit limit = {64 << 10, 64 << 10};
  PCHECK(setrlimit(RLIMIT_MEMLOCK, &limit) == 0);
  // Who may not drop it, does not have it.
  prctl(PR_CAPBSET_DROP, CAP_IPC_LOCK);
}

TEST_F(MemoryFaultsTest, F14ALowLimitOnLockedMemory) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "AddressSanitizer makes mlock do nothing";
#endif
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  auto start_in_vain = [] {
    LimitLockedMemory();
    std::vector<std::string> arguments = HydradIn(FreshDirectory());
    arguments.push_back("--set=pool.lock_memory=true");
    const ProgramResult result = RunProgram(arguments);
    std::fprintf(stderr, "%s", result.output.c_str());
    std::exit(result.code);
  };
  EXPECT_EXIT(start_in_vain(), ExitedWithCode(3),
              "limit on locked memory .RLIMIT_MEMLOCK.");
  auto go_on_unlocked = [this] {
    LimitLockedMemory();
    Cluster::Options options = Options();
    options.settings = {"pool.size_bytes=64MiB", "pool.lock_memory=true",
                        "pool.allow_unlocked=true"};
    {
      Cluster cluster(options);
      ExpectExact(cluster.AwaitEnd(cluster.Submit(spec())));
      std::fprintf(stderr, "%s", ReadFile(cluster.log_path()).c_str());
    }
    std::exit(HasFailure() ? 1 : 0);
  };
  EXPECT_EXIT(go_on_unlocked(), ExitedWithCode(0),
              "the pool may be swapped out");
  Row("F14", "RLIMIT_MEMLOCK of 64 KiB with pool.lock_memory",
      "an error at start that names the limit; with pool.allow_unlocked a "
      "warning",
      std::nullopt, !HasFailure());
}

TEST_F(MemoryFaultsTest, F15APoolLargerThanItsFileSystem) {
  const std::string directory = FreshDirectory();
  const auto disk = SmallDisk::Mount(directory, 32 << 20);
  if (!disk.ok()) GTEST_SKIP() << disk.status().message();
  const ProgramResult result = RunProgram(HydradIn(directory));
  EXPECT_EQ(result.code, 3);
  EXPECT_THAT(result.output, HasSubstr("67108864"));
  const size_t line = result.output.find("hydrad: ");
  ASSERT_NE(line, std::string::npos) << result.output;
  Row("F15", "a pool of 64 MiB on a tmpfs of 32 MiB",
      result.output.substr(line, result.output.find('\n', line) - line),
      std::nullopt, std::nullopt);
}

}  // namespace
}  // namespace hydra
