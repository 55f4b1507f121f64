#include "scheduler/daemon/server_info.h"

#include "absl/time/clock.h"
#include "common/status/proto_time.h"
#include "common/version/version.h"
#include "scheduler/daemon/cpu_model.h"

namespace hydra {

v1::GetServerInfoResponse ServerInfo(const config::v1::DaemonConfig& config,
                                     const PoolFile& pool,
                                     bool pool_is_locked) {
  v1::GetServerInfoResponse info;
  info.set_version(kVersion);
  info.set_pool_path(pool.path());
  info.set_pool_bytes(pool.size_bytes());
  *info.mutable_started_at() = ToProto(absl::Now());
  info.set_http_socket(config.http().unix_socket());
  info.set_http_address(config.http().address());
  info.set_state_dir(config.state_dir());
  info.set_pool_is_memory(pool.is_tmpfs());
  info.set_pool_is_locked(pool_is_locked);
  info.set_cpu_model(CpuModel());
#ifdef __x86_64__
  info.set_cpu_has_avx2(__builtin_cpu_supports("avx2") != 0);
#endif
  return info;
}

}  // namespace hydra
