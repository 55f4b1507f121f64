#include "scheduler/daemon/restored_core.h"

#include <optional>
#include <string>
#include <utility>

#include "common/clock/steady_time.h"
#include "common/device/device_name.h"
#include "glog/logging.h"
#include "scheduler/daemon/cpu_model.h"
#include "scheduler/daemon/device_model.h"
#include "scheduler/daemon/job_paths.h"
#include "scheduler/daemon/open_state.h"
#include "scheduler/daemon/user_limits.h"
#include "scheduler/journal/recovered.h"
#include "scheduler/journal/recovery.h"
#include "scheduler/policy/policies.h"
#include "scheduler/storage/partition_store.h"

namespace hydra {
namespace {

DeviceOptions OptionsOf(const config::v1::DeviceConfig& device,
                        std::string model) {
  DeviceOptions options;
  options.name = device.name();
  options.memory_limit_bytes = device.memory_limit_bytes();
  options.threads = device.threads();
  options.model = std::move(model);
  const std::optional<DeviceName> name = DeviceName::Parse(device.name());
  options.has_own_memory =
      device.has_link() || !name.has_value() || name->kind != DeviceKind::kCpu;
  return options;
}

Core::Options OptionsOf(const DaemonState& state,
                        const StateDirectory& directory) {
  const config::v1::DaemonConfig& config = state.config;
  Core::Options options;
  options.pool_first_byte = state.pool->data_offset();
  options.pool_bytes = state.pool->size_bytes() - state.pool->data_offset();
  const std::string cpu = CpuModel();
  for (const config::v1::DeviceConfig& device : config.devices()) {
    options.devices.push_back(
        OptionsOf(device, DeviceModel(device, cpu, GpuModelOfDriver)));
  }
  options.lookahead = config.lookahead();
  options.prefetch_bytes = config.prefetch_bytes();
  options.watchdog_floor = absl::Seconds(config.task_timeout_seconds());
  options.token_cache_dir = directory.tokens();
  options.partitions = PartitionStore(directory.partitions()).Load();
  options.first_job = state.first_job;
  options.generation = state.generation;
  options.read_roots = ReadRoots(config);
  return options;
}

absl::StatusOr<RestoredCore> MakeCore(const StateDirectory& directory,
                                      const DaemonState& state,
                                      const Recovered& recovered) {
  RestoredCore parts;
  auto policy = MakePolicy(state.config.policy());
  if (!policy.ok()) return policy.status();
  parts.policy = *std::move(policy);
  Core::Options options = OptionsOf(state, directory);
  absl::StatusOr<ShareOptions> shares = SharesOf(state.config);
  if (!shares.ok()) return shares.status();
  options.shares = *std::move(shares);
  options.reclaim_room = state.config.shares().reclaim_room();
  absl::StatusOr<QuotaOptions> quotas = QuotasOf(state.config);
  if (!quotas.ok()) return quotas.status();
  options.quotas = *std::move(quotas);
  parts.journal = std::make_unique<Journal>(state.last_sequence);
  parts.core = std::make_unique<Core>(std::move(options), parts.policy.get(),
                                      parts.journal.get());
  const absl::Status restored = parts.core->Restore(recovered, SteadyNow());
  if (!restored.ok()) return restored;
  return parts;
}

}  // namespace

absl::StatusOr<RestoredCore> RestoreCore(const StateDirectory& directory,
                                         DaemonState& state) {
  absl::StatusOr<RestoredCore> parts =
      MakeCore(directory, state, state.recovered);
  if (!absl::IsDataLoss(parts.status())) return parts;
  LOG(WARNING) << parts.status().message();
  // The pool is not given up for a fault of jobs.db, which would stay.
  Recovered without_pool = state.recovered;
  DropPool(without_pool);
  absl::Status restored = MakeCore(directory, state, without_pool).status();
  if (restored.ok()) restored = StartWithNewPool(state);
  if (!restored.ok()) return restored;
  return MakeCore(directory, state, state.recovered);
}

}  // namespace hydra
