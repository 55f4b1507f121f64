#include "scheduler/service/server_info_now.h"

#include <filesystem>
#include <system_error>

#include "absl/time/clock.h"
#include "common/status/proto_time.h"

namespace hydra {

void SetPoolNow(const ReadModel& model, v1::GetServerInfoResponse& info) {
  const ReadModel::Pool pool = model.pool();
  info.set_pool_used_bytes(pool.used_bytes);
  info.set_pool_reserved_bytes(pool.reserved_bytes);
}

v1::GetServerInfoResponse ServerInfoNow(v1::GetServerInfoResponse info,
                                        const ReadModel& model) {
  SetPoolNow(model, info);
  if (const auto maintenance = model.maintenance()) {
    info.set_maintenance(*maintenance);
  }
  *info.mutable_server_time() = ToProto(absl::Now());
  // Of the file system that may run full, not of what was there at the start.
  std::error_code failed;
  const auto space = std::filesystem::space(info.state_dir(), failed);
  if (!failed) info.set_state_free_bytes(space.available);
  return info;
}

}  // namespace hydra
