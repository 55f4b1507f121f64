#ifndef HYDRA_SCHEDULER_SERVICE_SERVER_INFO_NOW_H_
#define HYDRA_SCHEDULER_SERVICE_SERVER_INFO_NOW_H_

#include "hydra/v1/hydra.pb.h"
#include "scheduler/runtime/read_model.h"

namespace hydra {

// Sets what is so of the pool at this moment. Never blocks.
void SetPoolNow(const ReadModel& model, v1::GetServerInfoResponse& info);

// What GetServerInfo answers: `info`, which never changes, with what is so at
// this moment: of the pool, maintenance, the clock, and the state directory's
// file system, which may block where that hangs.
v1::GetServerInfoResponse ServerInfoNow(v1::GetServerInfoResponse info,
                                        const ReadModel& model);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SERVICE_SERVER_INFO_NOW_H_
