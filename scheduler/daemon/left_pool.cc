#include "scheduler/daemon/left_pool.h"

#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/clock/steady_time.h"
#include "common/pool/pool_file.h"
#include "glog/logging.h"
#include "scheduler/daemon/journal_files.h"
#include "scheduler/daemon/pool_owner.h"
#include "scheduler/journal/record_change.h"
#include "scheduler/journal/recovery.h"
#include "scheduler/journal/sqlite_file.h"
#include "scheduler/journal/tables.h"

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

// The pool itself; its journal is open and can be believed.
absl::Status AdoptPool(const PoolMeta& meta, DaemonState& state) {
  const config::v1::DaemonConfig& config = state.config;
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
absl::Status DeliverPending(DaemonState& state) {
  const auto last = DeliverOutbox(*state.pool_records, *state.jobs);
  if (last.ok()) {
    state.last_sequence = *last;
    return absl::OkStatus();
  }
  if (absl::IsDataLoss(last.status())) return last.status();
  return absl::Status(
      last.status().code(),
      absl::StrCat("what an earlier daemon acknowledged is in ",
                   PoolJournalPath(state.config), " and cannot be brought to ",
                   JobsJournalPath(state.config), ": ", last.status().message(),
                   "; nothing is lost: free disk space, or whatever it lacks, "
                   "and start hydrad again"));
}

// Without links, so that two names of one directory are the same.
std::string WithoutLinks(const std::string& state_dir) {
  std::error_code error;
  const fs::path real = fs::canonical(state_dir, error);
  return error ? state_dir : real.string();
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

// The journal of this pool is damaged and does not say whose it is; the pool
// does.
absl::Status GiveUpIfOurs(const DaemonState& state, const absl::Status& error,
                          LeftPool& left) {
  if (!absl::IsDataLoss(error)) return error;
  const absl::StatusOr<InstanceId> instance =
      PoolFile::InstanceAt(state.config.pool().path());
  const absl::StatusOr<PoolMark> own = OwnMark(state);
  if (!own.ok()) return own.status();
  if (instance.ok() && instance->ToHex() != own->instance) {
    return AnothersPool(state.config, "");
  }
  left.adopted = error;
  return absl::OkStatus();
}

// Delivers the outbox and takes over the pool; `left.adopted` says what speaks
// against the one or the other. After an error everything is as it was.
absl::Status TakeOver(DaemonState& state, LeftPool& left) {
  const auto boot = BootId();
  if (!boot.ok()) return boot.status();
  const auto meta = ReadPoolMeta(*state.pool_records);
  if (!meta.ok()) return GiveUpIfOurs(state, meta.status(), left);
  left.is_of_this_boot = meta->boot.empty() || meta->boot == *boot;
  const absl::StatusOr<PoolOwner> owner = FindOwner(*meta, state);
  if (!owner.ok()) return owner.status();
  if (*owner == PoolOwner::kAnother) {
    return AnothersPool(state.config, meta->mark.state_dir);
  }
  if (*owner == PoolOwner::kNobody) {
    left.adopted = absl::FailedPreconditionError(
        absl::StrCat("it is not the one that the jobs of ",
                     state.config.state_dir(), " were in"));
    return absl::OkStatus();
  }
  if (absl::Status delivered = DeliverPending(state); !delivered.ok()) {
    return GiveUpIfDamaged(delivered, left);
  }
  left.adopted = left.is_of_this_boot
                     ? AdoptPool(*meta, state)
                     : absl::FailedPreconditionError(
                           "the machine was started since it was written, and "
                           "parts of it may be older than others");
  return absl::IsAlreadyExists(left.adopted) ? left.adopted : absl::OkStatus();
}

}  // namespace

absl::Status GiveUpIfDamaged(const absl::Status& error, LeftPool& left) {
  left.adopted = error;
  return absl::IsDataLoss(error) ? absl::OkStatus() : error;
}

absl::Status OpenLeftPool(DaemonState& state, LeftPool& left) {
  const config::v1::DaemonConfig& config = state.config;
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
    return GiveUpIfOurs(state, records.status(), left);
  }
  state.pool_records = *std::move(records);
  return TakeOver(state, left);
}

absl::Status BindPool(DaemonState& state) {
  const config::v1::DaemonConfig& config = state.config;
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

absl::Status MakePool(DaemonState& state) {
  const config::v1::DaemonConfig& config = state.config;
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
  return BindPool(state);
}

std::string RealStateDir(const config::v1::DaemonConfig& config) {
  return WithoutLinks(config.state_dir());
}

}  // namespace hydra
