#ifndef HYDRA_WORKER_EXEC_JOB_ACCESS_H_
#define HYDRA_WORKER_EXEC_JOB_ACCESS_H_

#include "common/file/file_access.h"
#include "common/file/file_user.h"
#include "hydra/worker/v1/worker.pb.h"

namespace hydra {

// Which files the job may read: its user's, below the server's read roots. A
// root that cannot be opened allows nothing.
FileAccess AccessOf(const worker::v1::JobContext& job);

// As whom the job's files are opened.
FileUser UserOf(const worker::v1::JobContext& job);

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_JOB_ACCESS_H_
