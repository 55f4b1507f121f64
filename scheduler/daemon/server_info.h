#ifndef HYDRA_SCHEDULER_DAEMON_SERVER_INFO_H_
#define HYDRA_SCHEDULER_DAEMON_SERVER_INFO_H_

#include "common/pool/pool_file.h"
#include "hydra/config/v1/daemon.pb.h"
#include "hydra/v1/hydra.pb.h"

namespace hydra {

// What GetServerInfo says that stays so while this daemon lives, which begins
// now.
v1::GetServerInfoResponse ServerInfo(const config::v1::DaemonConfig& config,
                                     const PoolFile& pool, bool pool_is_locked);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_DAEMON_SERVER_INFO_H_
