// Disks that are full, and journals that are damaged.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/checkpoint/checkpoint_reader.h"
#include "common/file/scratch_directory.h"
#include "tests/faults/fault_fixture.h"
#include "tests/faults/small_disk.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
namespace v1 = hydra::v1;
using ::testing::HasSubstr;

class DiskFaultsTest : public FaultTest {
 protected:
  static grpc::Status TrySubmit(Cluster& cluster, const v1::JobSpec& job) {
    grpc::ClientContext context;
    v1::SubmitRequest request;
    *request.mutable_job() = job;
    v1::SubmitResponse response;
    return cluster.stub().Submit(&context, request, &response);
  }

  // The same job in one step, without a model.
  static v1::JobSpec OneStepOf(v1::JobSpec job) {
    job.mutable_train()->set_max_steps(1);
    job.mutable_output()->set_save_model(false);
    return job;
  }

  // Submits until one is refused: the disk's logs may have some room left.
  grpc::Status AwaitRefusal(Cluster& cluster, const v1::JobSpec& job) {
    grpc::Status refused;
    cluster.Await([&] {
      refused = TrySubmit(cluster, job);
      return !refused.ok();
    });
    return refused;
  }
};

TEST_F(DiskFaultsTest, F16AFullDiskOfTheJournal) {
  Cluster cluster(Options());
  cluster.StopDaemon();
  const auto disk = SmallDisk::Mount(cluster.state_dir(), 8 << 20);
  if (!disk.ok()) GTEST_SKIP() << disk.status().message();
  cluster.StartDaemon();
  v1::JobSpec elsewhere = LongSpec();
  elsewhere.mutable_output()->set_output_dir(cluster.directory() + "/out");
  const std::string job = cluster.Submit(elsewhere);
  cluster.AwaitStep(job, 2);
  (*disk)->Fill();

  const v1::JobSpec later = OneStepOf(elsewhere);
  const grpc::Status refused = AwaitRefusal(cluster, later);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED)
      << refused.error_message();
  const int64_t step = cluster.Job(job).status().step();
  cluster.AwaitStep(job, std::min(step + 3, kLongSteps));
  EXPECT_FALSE(LogOf(cluster, job).empty());

  (*disk)->MakeRoom();
  const absl::Duration recovered =
      Time(cluster, [&] { return TrySubmit(cluster, later).ok(); });
  const bool exact = ExpectExact(cluster.AwaitEnd(job));
  Row("F16", "a full disk below state_dir",
      absl::StrCat("code ", refused.error_code(), " \"",
                   refused.error_message(), "\", training and reads go on"),
      recovered, exact);
  cluster.StopDaemon();
}

TEST_F(DiskFaultsTest, F17AFullDiskOfTheOutputs) {
  Cluster cluster(Options());
  const std::string outputs = cluster.directory() + "/out";
  fs::create_directories(outputs);
  const auto disk = SmallDisk::Mount(outputs, 12 << 20);
  if (!disk.ok()) GTEST_SKIP() << disk.status().message();
  v1::JobSpec job_spec = LongSpec();
  job_spec.mutable_output()->set_output_dir(outputs);
  job_spec.mutable_checkpoint()->set_every_steps(20);
  const std::string job = cluster.Submit(job_spec);
  cluster.Await([&] { return cluster.Job(job).checkpoints_size() > 0; });
  (*disk)->Fill();
  cluster.Await([&] {
    return absl::StrContains(LogOf(cluster, job),
                             "a checkpoint could not be written");
  });
  cluster.AwaitStep(job, kLongSteps);
  // The older checkpoints are whole, and the model waits for room.
  const v1::JobDetail full = cluster.Job(job);
  EXPECT_GT(full.checkpoints_size(), 0);
  for (const v1::CheckpointInfo& checkpoint : full.checkpoints()) {
    const absl::Status intact = VerifyCheckpoint(checkpoint.path());
    EXPECT_TRUE(intact.ok()) << intact;
  }
  cluster.Await([&] {
    const v1::JobDetail waiting = cluster.Job(job);
    return waiting.status().phase() == v1::JOB_PHASE_SAVE &&
           !waiting.status().reason().empty();
  });
  const std::string reason = cluster.Job(job).status().reason();
  (*disk)->MakeRoom();
  const absl::Time start = absl::Now();
  const v1::JobDetail done = cluster.AwaitEnd(job);
  Row("F17", "a full disk below output_dir",
      absl::StrCat("a checkpoint fails, ", full.checkpoints_size(),
                   " older ones are intact, training goes on, then \"", reason,
                   "\""),
      absl::Now() - start, ExpectExact(done));
  cluster.StopDaemon();
}

TEST_F(DiskFaultsTest, F20ADiskThatFails) {
  const std::string broken = Marker();
  Cluster cluster(
      Preloading("libfailing_sync.so", "FAILING_SYNC_FILE=" + broken));
  v1::JobSpec job_spec = LongSpec();
  job_spec.mutable_checkpoint()->set_every_steps(20);
  const std::string job = cluster.Submit(job_spec);
  cluster.AwaitStep(job, 2);
  WriteFile(broken, "");

  const grpc::Status refused = TrySubmit(cluster, spec());
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::UNAVAILABLE)
      << refused.error_message();
  EXPECT_THAT(refused.error_message(), HasSubstr("jobs.db"));
  cluster.Await([&] {
    return absl::StrContains(LogOf(cluster, job),
                             "a checkpoint could not be written");
  });
  const int64_t step = cluster.Job(job).status().step();
  cluster.AwaitStep(job, std::min(step + 3, kLongSteps));

  fs::remove(broken);
  const absl::Duration recovered =
      Time(cluster, [&] { return TrySubmit(cluster, spec()).ok(); });
  const v1::JobDetail done = cluster.AwaitEnd(job);
  for (const v1::CheckpointInfo& checkpoint : done.checkpoints()) {
    const absl::Status intact = VerifyCheckpoint(checkpoint.path());
    EXPECT_TRUE(intact.ok()) << intact;
  }
  Row("F20", "every fsync of hydrad and its workers fails with EIO",
      absl::StrCat("code ", refused.error_code(), " \"",
                   refused.error_message(),
                   "\", checkpoints fail, training goes on"),
      recovered, ExpectExact(done));
  cluster.StopDaemon();
}

TEST_F(DiskFaultsTest, F52AFullFileSystemOfThePool) {
  const std::string directory = FreshDirectory();
  const auto disk = SmallDisk::Mount(directory, 66 << 20);
  if (!disk.ok()) GTEST_SKIP() << disk.status().message();
  Cluster::Options options = Options();
  options.settings = {"pool.size_bytes=64MiB", "pool.path=" + directory + "/p"};
  Cluster cluster(options);
  const std::string job = cluster.Submit(LongSpec());
  cluster.AwaitStep(job, 2);
  (*disk)->Fill();

  const v1::JobSpec later = OneStepOf(LongSpec());
  const grpc::Status refused = AwaitRefusal(cluster, later);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED)
      << refused.error_message();
  EXPECT_THAT(refused.error_message(), HasSubstr(directory + "/p.db"));
  EXPECT_THAT(refused.error_message(), HasSubstr("has 0 B free"));
  const size_t known = cluster.List().size();
  EXPECT_FALSE(LogOf(cluster, job).empty());
  EXPECT_EQ(cluster.Workers().size(), 2);
  EXPECT_FALSE(TrySubmit(cluster, later).ok());
  EXPECT_EQ(cluster.List().size(), known) << "a refused job is none";

  (*disk)->MakeRoom();
  const absl::Duration recovered =
      Time(cluster, [&] { return TrySubmit(cluster, later).ok(); });
  Row("F52", "a full file system under pool.db",
      absl::StrCat("code ", refused.error_code(), " \"",
                   refused.error_message(), "\", reads go on"),
      recovered, ExpectExact(cluster.AwaitEnd(job)));
  cluster.StopDaemon();
}

class DamagedJournalTest : public DiskFaultsTest {
 protected:
  static constexpr int kJobs = 40;

  // Jobs that ended, and a daemon that ended.
  void RunAndStop(Cluster& cluster) {
    v1::JobSpec job = spec();
    job.set_name("remarkable");
    jobs_ = SubmitEqualJobs(cluster, job, kJobs);
    for (const std::string& id : jobs_) Cancel(cluster.stub(), id);
    for (const std::string& id : jobs_) cluster.AwaitEnd(id);
    cluster.StopDaemon();
  }
  std::string Journal(const Cluster& cluster) {
    return cluster.state_dir() + "/jobs.db";
  }
  ProgramResult StartInVain(const Cluster& cluster) {
    return RunProgram({"scheduler/hydrad", "--device=cpu:0=64MiB",
                       "--set=pool.size_bytes=64MiB",
                       "--set=pool.path=" + cluster.directory() + "/pool",
                       "--set=state_dir=" + cluster.state_dir()});
  }
  ProgramResult RunRecover(const Cluster& cluster,
                           std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {
        "scheduler/hydrad", "recover",
        "--set=state_dir=" + cluster.state_dir()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return RunProgram(arguments);
  }
  // How many of jobs_ the daemon knows.
  int KnownJobs(Cluster& cluster) {
    return static_cast<int>(cluster.List().size());
  }

  std::vector<std::string> jobs_;
};

TEST_F(DamagedJournalTest, F18AFlippedBitInTheMiddle) {
  Cluster cluster(Options());
  RunAndStop(cluster);
  EXPECT_EQ(RunRecover(cluster).code, 0);
  std::string bytes = ReadFile(Journal(cluster));
  const size_t place = bytes.rfind("remarkable");
  ASSERT_NE(place, std::string::npos);
  bytes[place] ^= 1;
  WriteFile(Journal(cluster), bytes);

  const ProgramResult start = StartInVain(cluster);
  EXPECT_NE(start.code, 0);
  EXPECT_THAT(start.output, HasSubstr("`hydrad recover`"));
  // It counted its start.
  bytes = ReadFile(Journal(cluster));
  const ProgramResult explained = RunRecover(cluster);
  EXPECT_EQ(explained.code, 1);
  EXPECT_THAT(explained.output, HasSubstr("1 records"));
  EXPECT_TRUE(ReadFile(Journal(cluster)) == bytes) << "it was changed";
  const absl::Time begin = absl::Now();
  const ProgramResult repaired = RunRecover(cluster, {"--write"});
  const absl::Duration took = absl::Now() - begin;
  EXPECT_EQ(repaired.code, 0) << repaired.output;
  EXPECT_TRUE(ReadFile(Journal(cluster) + ".damaged-1") == bytes);
  cluster.StartDaemon();
  EXPECT_EQ(KnownJobs(cluster), kJobs - 1);
  Row("F18", "a flipped bit in a record of jobs.db",
      absl::StrCat("hydrad refuses to start and names `hydrad recover`, which "
                   "saves ",
                   KnownJobs(cluster), " of ", kJobs, " jobs"),
      took, std::nullopt);
}

TEST_F(DamagedJournalTest, F18ATornTail) {
  Cluster cluster(Options());
  const std::string job = cluster.Submit(LongSpec());
  cluster.AwaitStep(job, 2);
  cluster.KillDaemon();
  // A power cut takes the pool too.
  cluster.LosePool();
  const std::string log = Journal(cluster) + "-wal";
  const int64_t size = fs::file_size(log);
  // The last transaction loses its end.
  fs::resize_file(log, size - 100);
  const absl::Time begin = absl::Now();
  cluster.StartDaemon();
  const absl::Duration took = absl::Now() - begin;
  EXPECT_THAT(ReadFile(cluster.log_path()),
              HasSubstr("cut off an unfinished transaction"));
  Row("F18", "the log of jobs.db cut in its last transaction",
      "hydrad says what it cut off and goes on", took,
      ExpectExact(cluster.AwaitEnd(job)));
}

}  // namespace
}  // namespace hydra
