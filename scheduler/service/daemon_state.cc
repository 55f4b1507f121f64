#include "scheduler/service/daemon_state.h"

#include <unistd.h>

#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/checkpoint/checkpoint_directory.h"
#include "common/checkpoint/checkpoint_reader.h"
#include "common/clock/steady_time.h"
#include "common/status/proto_time.h"
#include "glog/logging.h"
#include "scheduler/core/core.h"
#include "scheduler/core/job.h"
#include "scheduler/journal/record_change.h"
#include "scheduler/journal/recovery.h"
#include "scheduler/journal/tables.h"

namespace hydra {
namespace {

namespace fs = std::filesystem;
namespace jv1 = hydra::journal::v1;

// What the pool's content depends on, beside the jobs.
std::string DevicesText(const config::v1::DaemonConfig& config) {
  std::string text;
  for (const config::v1::DeviceConfig& device : config.devices()) {
    absl::StrAppend(&text, device.name(), "=", device.memory_limit_bytes(), "/",
                    device.threads(), " ");
  }
  return text;
}

SqliteRecordStore::Options StoreOptions(const RecordSchema& schema,
                                        bool durable) {
  SqliteRecordStore::Options options;
  options.durable = durable;
  options.schema = schema;
  return options;
}

// What the directories say of themselves; one that cannot be read is left out.
std::vector<jv1::CheckpointRecord> CheckpointsOnDisk(
    JobId id, const jv1::SubmittedJob& job) {
  std::vector<jv1::CheckpointRecord> records;
  const std::string folder =
      CheckpointFolder(OutputPath(id, job.output_dir(), job.spec().name()));
  if (absl::Status removed = RemoveLeftovers(folder); !removed.ok()) {
    LOG(WARNING) << removed.message();
  }
  const auto entries = ListCheckpoints(folder);
  if (!entries.ok()) {
    LOG(WARNING) << entries.status().message();
    return records;
  }
  for (const CheckpointEntry& entry : *entries) {
    const auto reader = CheckpointReader::Open(entry.path);
    if (!reader.ok() || reader->manifest().job_id() != JobName(id)) {
      LOG(WARNING) << entry.path << " is not used: "
                   << (reader.ok() ? "it is another job's"
                                   : reader.status().message());
      continue;
    }
    jv1::CheckpointRecord& record = records.emplace_back();
    record.mutable_info()->set_path(entry.path);
    record.mutable_info()->set_step(entry.name.step);
    record.mutable_info()->set_inside_step(entry.name.inside_step);
    for (const auto& file : reader->manifest().files()) {
      record.mutable_info()->set_bytes(record.info().bytes() + file.bytes());
    }
    *record.mutable_position() = reader->manifest().position();
    *record.mutable_cut_points() = reader->manifest().cut_points();
  }
  return records;
}

void FindCheckpoints(Recovered& recovered) {
  for (auto& [id, job] : recovered.jobs) {
    if (job.progress.has_ended_at()) continue;
    UseCheckpoints(CheckpointsOnDisk(id, job.submitted), job);
  }
}

// Nobody writes into the old pool when this returns.
void KillRecordedWorkers(const RecordStore& pool_records) {
  Recovered recorded;
  const absl::Status read = ReadPool(pool_records, recorded);
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

// The pool that an earlier daemon left, with its journal.
absl::Status AdoptPool(const config::v1::DaemonConfig& config,
                       DaemonState& state) {
  auto records = SqliteRecordStore::Open(PoolJournalPath(config),
                                         StoreOptions(PoolSchema(), false));
  if (!records.ok()) return records.status();
  state.pool_records = *std::move(records);
  const auto instance_text =
      ReadText(*state.pool_records, kPoolMetaTable, kPoolInstance);
  if (!instance_text.ok()) return instance_text.status();
  const auto instance = InstanceId::FromHex(*instance_text);
  if (!instance.ok()) return instance.status();
  const auto devices =
      ReadText(*state.pool_records, kPoolMetaTable, kPoolDevices);
  if (!devices.ok()) return devices.status();
  if (*devices != DevicesText(config)) {
    return absl::FailedPreconditionError(
        absl::StrCat("it was made for the devices ", *devices,
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
  LOG(INFO) << "pool " << state.pool->path() << ", " << state.pool->size_bytes()
            << " bytes, allocated in " << SteadyNow() - start;
  RemovePoolJournal(config);
  auto records = SqliteRecordStore::Open(PoolJournalPath(config),
                                         StoreOptions(PoolSchema(), false));
  if (!records.ok()) return records.status();
  state.pool_records = *std::move(records);
  return state.pool_records->Apply(
      {MakePut(kPoolMetaTable, 0, kPoolInstance,
               state.pool->instance_id().ToHex()),
       MakePut(kPoolMetaTable, 0, kPoolDevices, DevicesText(config))});
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

absl::Status ReadJournals(DaemonState& state) {
  auto recovered = ReadJobs(*state.jobs, Core::Options().kept_ended_jobs);
  if (!recovered.ok()) return recovered.status();
  state.recovered = *std::move(recovered);
  FindCheckpoints(state.recovered);
  return absl::OkStatus();
}

absl::Status CountStart(DaemonState& state) {
  const auto starts = ReadNumber(*state.jobs, kJobsMetaTable, kStarts);
  if (!starts.ok()) return starts.status();
  state.generation = *starts + 1;
  return WriteNumber(*state.jobs, kJobsMetaTable, kStarts, state.generation);
}

// What was on its way to jobs.db when the earlier daemon ended.
absl::Status DeliverPending(DaemonState& state) {
  const auto last = DeliverOutbox(*state.pool_records, *state.jobs);
  if (!last.ok()) return last.status();
  state.last_sequence = *last;
  return absl::OkStatus();
}

}  // namespace

const RecordSchema& JobsSchema() {
  static const RecordSchema& schema =
      *new RecordSchema{"hydra-jobs",
                        1,
                        {"sweeps", "submitted", "progress", "steps",
                         "evaluations", "checkpoints", "meta"},
                        {}};
  return schema;
}

const RecordSchema& PoolSchema() {
  static const RecordSchema& schema = *new RecordSchema{
      "hydra-pool",
      1,
      {"meta", "jobs", "blocks", "hand_outs", "workers", "outbox"},
      {}};
  return schema;
}

std::string JobsJournalPath(const config::v1::DaemonConfig& config) {
  return absl::StrCat(config.state_dir(), "/jobs.db");
}

std::string PoolJournalPath(const config::v1::DaemonConfig& config) {
  return absl::StrCat(config.pool().path(), ".db");
}

void RemovePoolJournal(const config::v1::DaemonConfig& config) {
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
    unlink(absl::StrCat(PoolJournalPath(config), suffix).c_str());
  }
}

absl::StatusOr<DaemonState> OpenDaemonState(
    const config::v1::DaemonConfig& config) {
  DaemonState state;
  auto jobs = SqliteRecordStore::Open(JobsJournalPath(config),
                                      StoreOptions(JobsSchema(), true));
  if (!jobs.ok()) return jobs.status();
  state.jobs = *std::move(jobs);
  if (absl::Status counted = CountStart(state); !counted.ok()) return counted;

  std::error_code error;
  const bool left_over = fs::exists(PoolJournalPath(config), error);
  absl::Status adopted = absl::NotFoundError("no daemon left one");
  if (left_over) adopted = AdoptPool(config, state);
  if (adopted.ok()) adopted = DeliverPending(state);
  if (!adopted.ok()) {
    if (left_over) {
      LOG(WARNING) << "the pool " << config.pool().path()
                   << " is not taken over, and jobs go on from their "
                      "checkpoints: "
                   << adopted.message();
      if (state.pool_records != nullptr) {
        // Its outbox is of use all the same.
        (void)DeliverPending(state);
        KillRecordedWorkers(*state.pool_records);
      }
    }
    if (absl::Status made = MakePool(config, state); !made.ok()) return made;
    if (absl::Status delivered = DeliverPending(state); !delivered.ok()) {
      return delivered;
    }
  }
  if (absl::Status read = ReadJournals(state); !read.ok()) return read;
  if (!adopted.ok()) return state;
  absl::Status read = ReadPool(*state.pool_records, state.recovered);
  if (read.ok()) read = FindWorkers(state);
  if (read.ok()) {
    LOG(INFO) << "took over the pool " << config.pool().path() << " with "
              << state.workers.size() << " living workers and "
              << state.recovered.hand_outs.size() << " tasks in their hands";
    return state;
  }
  LOG(WARNING) << "the pool's journal is of no use: " << read.message();
  if (absl::Status made = StartWithNewPool(config, state); !made.ok()) {
    return made;
  }
  return state;
}

absl::Status StartWithNewPool(const config::v1::DaemonConfig& config,
                              DaemonState& state) {
  KillRecordedWorkers(*state.pool_records);
  state.workers.clear();
  if (absl::Status made = MakePool(config, state); !made.ok()) return made;
  return ReadJournals(state);
}

}  // namespace hydra
