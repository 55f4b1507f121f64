#include "worker/exec/job_access.h"

#include "common/file/file.h"
#include "common/file/file_user.h"

namespace hydra {

FileAccess AccessOf(const worker::v1::JobContext& job) {
  return AccessBelow({job.read_roots().begin(), job.read_roots().end()},
                     UserOf(OwnerOf(job)));
}

std::optional<uint32_t> OwnerOf(const worker::v1::JobContext& job) {
  if (!job.has_owner_user()) return std::nullopt;
  return job.owner_user();
}

}  // namespace hydra
