#ifndef HYDRA_WORKER_EXEC_JOB_ACCESS_H_
#define HYDRA_WORKER_EXEC_JOB_ACCESS_H_

#include <cstdint>
#include <optional>

#include "common/file/file_access.h"
#include "hydra/worker/v1/worker.pb.h"

namespace hydra {

// Which files the job may read: its user's, below the server's read roots. A
// root that cannot be opened allows nothing.
FileAccess AccessOf(const worker::v1::JobContext& job);

// Whose files these are, if anybody knows.
std::optional<uint32_t> OwnerOf(const worker::v1::JobContext& job);

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_JOB_ACCESS_H_
