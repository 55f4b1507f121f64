#include "scheduler/daemon/daemon_state.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/clock/steady_time.h"
#include "glog/logging.h"
#include "scheduler/core/core.h"
#include "scheduler/daemon/pool_owner.h"
#include "scheduler/journal/record_change.h"
#include "scheduler/journal/recovery.h"
#include "scheduler/journal/sqlite_file.h"
#include "scheduler/journal/tables.h"
#include "scheduler/storage/found_checkpoints.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
// What the pool's content depends on, beside the jobs.
std::string DevicesText(const config::v1::DaemonConfig& config) {
  std::string text;
  for (const config::v1::DeviceConfig& device : config.devices()) {
    absl::StrAppend(&text, device.name(), "=", device.memory_limit_bytes(), "/",
                    device.threads(), " ");
  }
  return text;
}

// Another one after every start of the machine.
absl::StatusOr<std::string> BootId() {
  constexpr char kPath[] = "/proc/sys/kernel/random/boot_id";
  std::ifstream file(kPath);
  std::string id;
  if (file >> id) return id;
  return absl::UnavailableError(absl::StrCat("cannot read ", kPath));
}

absl::StatusOr<std::unique_ptr<SqliteRecordStore>> OpenPoolJournal(
    const config::v1::DaemonConfig& config) {
  SqliteRecordStore::Options options;
  options.durable = false;
  options.schema = PoolSchema();
  return SqliteRecordStore::Open(PoolJournalPath(config), options);
}

// Nobody writes into the old pool when this returns.
void KillRecordedWorkers(const RecordStore& pool_records) {
  Recovered recorded;
  const absl::Status read = ReadWorkers(pool_records, recorded);
  if (!read.ok()) LOG(WARNING) << read.message();
  for (const auto& [id, process] : recorded.workers) {
    const auto alive =
        ForeignProcess::Open(process.pid(), process.start_time());
    if (!alive.ok()) continue;
    LOG(WARNING) << "killing worker process " << process.pid()
                 << " of an earlier daemon";
    alive->Kill();
    alive->AwaitEnd();
  }
}

// What pool.db says of itself. Empty texts: it does not say.
struct PoolMeta {
  PoolMark mark;
  std::string devices;
  std::string boot;
};

absl::StatusOr<PoolMeta> ReadPoolMeta(const RecordStore& pool_records) {
  const auto instance = ReadText(pool_records, kPoolMetaTable, kPoolInstance);
  if (!instance.ok()) return instance.status();
  const auto devices = ReadText(pool_records, kPoolMetaTable, kPoolDevices);
  if (!devices.ok()) return devices.status();
  const auto boot = ReadText(pool_records, kPoolMetaTable, kPoolBoot);
  if (!boot.ok()) return boot.status();
  const auto state_dir = ReadText(pool_records, kPoolMetaTable, kPoolStateDir);
  if (!state_dir.ok()) return state_dir.status();
  return PoolMeta{{*instance, *state_dir}, *devices, *boot};
}

// What is known of a pool that an earlier daemon left.
struct LeftPool {
  bool exists = false;
  // The processes that its journal names are the ones that it means.
  bool is_of_this_boot = false;
  // Why it is not taken over; OK: it is.
  absl::Status adopted = absl::NotFoundError("no daemon left one");
};

// The pool itself; its journal is open and can be believed.
absl::Status AdoptPool(const config::v1::DaemonConfig& config,
                       const PoolMeta& meta, DaemonState& state) {
  const auto instance = InstanceId::FromHex(meta.mark.instance);
  if (!instance.ok()) return instance.status();
  if (meta.devices != DevicesText(config)) {
    return absl::FailedPreconditionError(
        absl::StrCat("it was made for the devices ", meta.devices,
                     "and these are configured: ", DevicesText(config)));
  }
  PoolFile::AdoptOptions options;
  options.path = config.pool().path();
  options.expected = *instance;
  options.size_bytes = config.pool().size_bytes();
  auto pool = PoolFile::Adopt(options);
  if (!pool.ok()) return pool.status();
  state.pool = *std::move(pool);
  return absl::OkStatus();
}

// What was on its way to jobs.db when the earlier daemon ended.
absl::Status DeliverPending(const config::v1::DaemonConfig& config,
                            DaemonState& state) {
  const auto last = DeliverOutbox(*state.pool_records, *state.jobs);
  if (last.ok()) {
    state.last_sequence = *last;
    return absl::OkStatus();
  }
  if (absl::IsDataLoss(last.status())) return last.status();
  return absl::Status(
      last.status().code(),
      absl::StrCat("what an earlier daemon acknowledged is in ",
                   PoolJournalPath(config), " and cannot be brought to ",
                   JobsJournalPath(config), ": ", last.status().message(),
                   "; nothing is lost: free disk space, or whatever it lacks, "
                   "and start hydrad again"));
}

// Without links, so that two names of one directory are the same.
std::string WithoutLinks(const std::string& state_dir) {
  std::error_code error;
  const fs::path real = fs::canonical(state_dir, error);
  return error ? state_dir : real.string();
}

std::string RealStateDir(const config::v1::DaemonConfig& config) {
  return WithoutLinks(config.state_dir());
}

absl::StatusOr<PoolMark> OwnMark(const DaemonState& state) {
  const auto instance = ReadText(*state.jobs, kJobsMetaTable, kPoolOfJobs);
  if (!instance.ok()) return instance.status();
  return PoolMark{*instance, RealStateDir(state.config)};
}

// Also if we may not look there.
bool HasJobs(const std::string& state_dir) {
  std::error_code error;
  return fs::exists(state_dir + "/jobs.db", error) || error;
}

absl::StatusOr<PoolOwner> FindOwner(const PoolMeta& meta,
                                    const DaemonState& state) {
  const auto own = OwnMark(state);
  if (!own.ok()) return own.status();
  // Versions that did not note a pool in jobs.db wrote no boot id either.
  if (own->instance.empty() && meta.boot.empty() &&
      meta.mark.state_dir.empty()) {
    return PoolOwner::kThisDaemon;
  }
  // It may have been moved, with a link left in its place.
  const PoolMark mark = {meta.mark.instance, WithoutLinks(meta.mark.state_dir)};
  return OwnerOf(mark, *own, HasJobs(mark.state_dir));
}

absl::Status AnothersPool(const config::v1::DaemonConfig& config,
                          absl::string_view state_dir) {
  const std::string& pool = config.pool().path();
  return absl::AlreadyExistsError(absl::StrCat(
      "pool.path: ", pool, " holds jobs of another daemon",
      state_dir.empty() ? "" : absl::StrCat(", of state_dir ", state_dir),
      ", which goes on with them when it is started; choose another path, or "
      "end that daemon with SIGTERM, which saves its jobs and removes the "
      "pool. If nobody needs them, remove ",
      pool, " and ", PoolJournalPath(config)));
}

// A damaged pool.db is given up. Any other error may be gone the next time, and
// the daemon must not go on, since it would remove what is there.
absl::Status GiveUpIfDamaged(const absl::Status& error, LeftPool& left) {
  left.adopted = error;
  return absl::IsDataLoss(error) ? absl::OkStatus() : error;
}

// The journal of this pool is damaged and does not say whose it is; the pool
// does.
absl::Status GiveUpIfOurs(const config::v1::DaemonConfig& config,
                          const DaemonState& state, const absl::Status& error,
                          LeftPool& left) {
  if (!absl::IsDataLoss(error)) return error;
  const absl::StatusOr<InstanceId> instance =
      PoolFile::InstanceAt(config.pool().path());
  const absl::StatusOr<PoolMark> own = OwnMark(state);
  if (!own.ok()) return own.status();
  if (instance.ok() && instance->ToHex() != own->instance) {
    return AnothersPool(config, "");
  }
  left.adopted = error;
  return absl::OkStatus();
}

// Delivers the outbox and takes over the pool; `left.adopted` says what speaks
// against the one or the other. After an error everything is as it was.
absl::Status TakeOver(const config::v1::DaemonConfig& config,
                      DaemonState& state, LeftPool& left) {
  const auto boot = BootId();
  if (!boot.ok()) return boot.status();
  const auto meta = ReadPoolMeta(*state.pool_records);
  if (!meta.ok()) return GiveUpIfOurs(config, state, meta.status(), left);
  left.is_of_this_boot = meta->boot.empty() || meta->boot == *boot;
  const absl::StatusOr<PoolOwner> owner = FindOwner(*meta, state);
  if (!owner.ok()) return owner.status();
  if (*owner == PoolOwner::kAnother) {
    return AnothersPool(config, meta->mark.state_dir);
  }
  if (*owner == PoolOwner::kNobody) {
    left.adopted = absl::FailedPreconditionError(absl::StrCat(
        "it is not the one that the jobs of ", config.state_dir(), " were in"));
    return absl::OkStatus();
  }
  if (absl::Status delivered = DeliverPending(config, state); !delivered.ok()) {
    return GiveUpIfDamaged(delivered, left);
  }
  left.adopted = left.is_of_this_boot
                     ? AdoptPool(config, *meta, state)
                     : absl::FailedPreconditionError(
                           "the machine was started since it was written, and "
                           "parts of it may be older than others");
  return absl::IsAlreadyExists(left.adopted) ? left.adopted : absl::OkStatus();
}

// As TakeOver, and opens the journal, if there is one.
absl::Status OpenLeftPool(const config::v1::DaemonConfig& config,
                          DaemonState& state, LeftPool& left) {
  std::error_code error;
  left.exists = fs::exists(PoolJournalPath(config), error);
  if (!left.exists) return absl::OkStatus();
  auto records = OpenPoolJournal(config);
  if (absl::IsFailedPrecondition(records.status())) {
    return absl::AlreadyExistsError(
        absl::StrCat("the pool ", config.pool().path(),
                     " is owned by a live daemon, or by another program: ",
                     records.status().message()));
  }
  if (!records.ok()) {
    return GiveUpIfOurs(config, state, records.status(), left);
  }
  state.pool_records = *std::move(records);
  return TakeOver(config, state, left);
}

// From now on the pool is the one of these jobs. It is noted in jobs.db first:
// a pool that jobs.db does not name is not believed.
absl::Status BindPool(const config::v1::DaemonConfig& config,
                      DaemonState& state) {
  const auto boot = BootId();
  if (!boot.ok()) return boot.status();
  const std::string instance = state.pool->instance_id().ToHex();
  absl::Status bound = state.jobs->Apply(
      {MakePut(kJobsMetaTable, 0, kPoolOfJobs, instance),
       MakePut(kJobsMetaTable, 0, kPoolPathOfJobs, config.pool().path())});
  if (!bound.ok()) return bound;
  return state.pool_records->Apply(
      {MakePut(kPoolMetaTable, 0, kPoolInstance, instance),
       MakePut(kPoolMetaTable, 0, kPoolDevices, DevicesText(config)),
       MakePut(kPoolMetaTable, 0, kPoolBoot, *boot),
       MakePut(kPoolMetaTable, 0, kPoolStateDir, RealStateDir(config))});
}

absl::Status MakePool(const config::v1::DaemonConfig& config,
                      DaemonState& state) {
  state.pool.reset();
  state.pool_records.reset();
  PoolFile::CreateOptions options;
  options.path = config.pool().path();
  options.size_bytes = config.pool().size_bytes();
  const absl::Time start = SteadyNow();
  auto pool = PoolFile::Create(options);
  if (!pool.ok()) return pool.status();
  state.pool = *std::move(pool);
  state.pool_is_new = true;
  LOG(INFO) << "pool " << state.pool->path() << ", " << state.pool->size_bytes()
            << " bytes, allocated in " << SteadyNow() - start;
  if (absl::Status removed = RemoveSqliteFile(PoolJournalPath(config));
      !removed.ok()) {
    return removed;
  }
  auto records = OpenPoolJournal(config);
  if (!records.ok()) return records.status();
  state.pool_records = *std::move(records);
  return BindPool(config, state);
}

// One more than the highest number of a job that has an output in `folder`.
// What hydrad did not name, or will never count up to, is passed over.
uint64_t JobAfterOutputs(const std::string& folder) {
  constexpr uint64_t kHighestBelievable = uint64_t{1} << 48;
  uint64_t next = 1;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    const std::string digits = name.substr(1, name.find('-') - 1);
    uint64_t number = 0;
    if (name[0] == 'j' && absl::SimpleAtoi(digits, &number) &&
        absl::StrCat(number) == digits && number < kHighestBelievable) {
      next = std::max(next, number + 1);
    }
  }
  return next;
}

// jobs.db alone says which numbers are taken. A new one beside the outputs of
// one that is gone notes once which those are, so that none is written over.
absl::Status ReadFirstJob(const config::v1::DaemonConfig& config,
                          DaemonState& state) {
  const auto first = ReadNumber(*state.jobs, kJobsMetaTable, kFirstJob);
  if (!first.ok()) return first.status();
  if (*first != 0) {
    state.first_job = *first;
    return absl::OkStatus();
  }
  state.first_job = JobAfterOutputs(config.state_dir() + "/outputs");
  return WriteNumber(*state.jobs, kJobsMetaTable, kFirstJob, state.first_job);
}

// Links on the way to hydrad's own folder of outputs are its administrator's,
// who may have moved the state directory and left one: the jobs are there
// still. Others are not followed when their jobs are found or written.
void FollowOwnLinks(const std::string& own_outputs, RecoveredJob& job) {
  const std::string& recorded = job.submitted.output_dir();
  if (recorded == own_outputs) return;
  std::error_code error;
  if (fs::canonical(recorded, error) == own_outputs && !error) {
    job.submitted.set_output_dir(own_outputs);
  }
}

absl::Status ReadJournal(DaemonState& state) {
  const auto last = ReadNumber(*state.jobs, kJobsMetaTable, kLastSequence);
  if (!last.ok()) return last.status();
  state.last_sequence = *last;
  const auto starts = ReadNumber(*state.jobs, kJobsMetaTable, kStarts);
  if (!starts.ok()) return starts.status();
  state.generation = *starts + 1;
  auto recovered = ReadJobs(*state.jobs, Core::Options().kept_ended_jobs);
  if (!recovered.ok()) return recovered.status();
  state.recovered = *std::move(recovered);
  const std::string own_outputs = RealStateDir(state.config) + "/outputs";
  for (auto& [id, job] : state.recovered.jobs) {
    FollowOwnLinks(own_outputs, job);
    if (!job.progress.has_ended_at()) FindCheckpoints(id, job);
  }
  return absl::OkStatus();
}

// Workers that died meanwhile have nothing in hand.
absl::Status FindWorkers(DaemonState& state) {
  const auto recorded = state.recovered.workers;
  for (const auto& [id, process] : recorded) {
    auto alive = ForeignProcess::Open(process.pid(), process.start_time());
    if (alive.ok()) {
      state.workers.emplace(id, *std::move(alive));
      continue;
    }
    if (absl::Status forgotten =
            ForgetWorker(id, *state.pool_records, state.recovered);
        !forgotten.ok()) {
      return forgotten;
    }
  }
  return absl::OkStatus();
}

// What the adopted pool holds, and who works in it. Errors: as TakeOver.
absl::Status ReadAdopted(const config::v1::DaemonConfig& config,
                         DaemonState& state, LeftPool& left) {
  if (!left.adopted.ok()) return absl::OkStatus();
  absl::Status status = BindPool(config, state);
  if (!status.ok()) return status;
  left.adopted = ReadPool(*state.pool_records, state.recovered);
  if (left.adopted.ok()) left.adopted = FindWorkers(state);
  return left.adopted.ok() ? left.adopted : GiveUpIfDamaged(left.adopted, left);
}

void LogWhereJobsGoOn(const Recovered& recovered) {
  int at_checkpoint = 0;
  int at_start = 0;
  for (const auto& [id, job] : recovered.jobs) {
    if (job.progress.has_ended_at()) continue;
    ++(job.checkpoints.empty() ? at_start : at_checkpoint);
  }
  if (at_checkpoint + at_start == 0) return;
  LOG(INFO) << "without an earlier pool: jobs that go on from a checkpoint: "
            << at_checkpoint << ", from step 0: " << at_start;
}

absl::Status CountStart(DaemonState& state) {
  return WriteNumber(*state.jobs, kJobsMetaTable, kStarts, state.generation);
}

}  // namespace

const RecordSchema& JobsSchema() {
  static const RecordSchema& schema =
      *new RecordSchema{"hydra-jobs",
                        1,
                        {"sweeps", "submitted", "progress", "steps",
                         "evaluations", "checkpoints", "meta"}};
  return schema;
}

const RecordSchema& PoolSchema() {
  static const RecordSchema& schema = *new RecordSchema{
      "hydra-pool",
      1,
      {"meta", "jobs", "blocks", "hand_outs", "workers", "outbox"}};
  return schema;
}

std::string JobsJournalPath(const config::v1::DaemonConfig& config) {
  return absl::StrCat(config.state_dir(), "/jobs.db");
}

std::string PoolJournalPath(const config::v1::DaemonConfig& config) {
  return absl::StrCat(config.pool().path(), ".db");
}

absl::StatusOr<std::unique_ptr<SqliteRecordStore>> OpenJobsJournal(
    const std::string& path) {
  SqliteRecordStore::Options options;
  options.schema = JobsSchema();
  return SqliteRecordStore::Open(path, options);
}

absl::Status ExplainPoolJournal(const config::v1::DaemonConfig& config,
                                const absl::Status& error) {
  std::error_code failed;
  const fs::path folder = fs::path(config.pool().path()).parent_path();
  const fs::space_info space = fs::space(folder, failed);
  return absl::Status(
      error.code(),
      absl::StrCat(
          "the pool's journal cannot be written: ", error.message(), "; ",
          failed ? ""
                 : absl::StrCat("the file system of ", folder.string(), " has ",
                                space.available, " B free; "),
          "make room there (a larger tmpfs, a smaller pool.size_bytes, or "
          "another pool.path); all goes on by itself then"));
}

void RemovePoolJournal(const config::v1::DaemonConfig& config) {
  const absl::Status removed = RemoveSqliteFile(PoolJournalPath(config));
  LOG_IF(WARNING, !removed.ok()) << removed.message();
}

namespace {

// All but state.jobs, with the pool at state.config's path.
absl::Status OpenWithPool(DaemonState& state) {
  const config::v1::DaemonConfig& config = state.config;
  LeftPool left;
  absl::Status status = OpenLeftPool(config, state, left);
  if (status.ok()) status = ReadJournal(state);
  if (status.ok()) status = ReadFirstJob(config, state);
  if (status.ok()) status = CountStart(state);
  if (status.ok()) status = ReadAdopted(config, state, left);
  if (!status.ok()) return status;

  if (left.adopted.ok()) {
    LOG(INFO) << "took over the pool " << config.pool().path() << " with "
              << state.workers.size() << " living workers and "
              << state.recovered.hand_outs.size() << " tasks in their hands";
    return absl::OkStatus();
  }
  if (left.exists) {
    LOG(WARNING) << "the pool " << config.pool().path()
                 << " is not taken over, and jobs go on from their "
                    "checkpoints: "
                 << left.adopted.message();
  }
  status =
      left.is_of_this_boot ? StartWithNewPool(state) : MakePool(config, state);
  if (!status.ok()) return status;
  LogWhereJobsGoOn(state.recovered);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> PoolPaths(const DaemonState& state) {
  const std::string& path = state.config.pool().path();
  if (!path.empty()) return std::vector<std::string>{path};
  const auto last = ReadText(*state.jobs, kJobsMetaTable, kPoolPathOfJobs);
  if (!last.ok()) return last.status();
  return DefaultPoolPaths(getuid(), *last);
}

}  // namespace

absl::StatusOr<DaemonState> OpenDaemonState(
    const config::v1::DaemonConfig& config) {
  DaemonState state;
  state.config = config;
  auto jobs = OpenJobsJournal(JobsJournalPath(config));
  if (!jobs.ok()) return jobs.status();
  state.jobs = *std::move(jobs);
  const auto paths = PoolPaths(state);
  if (!paths.ok()) return paths.status();
  absl::Status opened;
  for (const std::string& path : *paths) {
    state.config.mutable_pool()->set_path(path);
    opened = OpenWithPool(state);
    if (!absl::IsAlreadyExists(opened)) break;
    state.pool_records.reset();
    LOG_IF(INFO, paths->size() > 1) << opened.message();
  }
  if (!opened.ok()) return opened;
  return state;
}

absl::Status StartWithNewPool(DaemonState& state) {
  KillRecordedWorkers(*state.pool_records);
  state.workers.clear();
  DropPool(state.recovered);
  return MakePool(state.config, state);
}

}  // namespace hydra
