#include "worker/exec/job_access.h"

#include <cstdint>
#include <optional>

#include "common/file/file.h"

namespace hydra {

FileAccess AccessOf(const worker::v1::JobContext& job) {
  return {UserOf(job),
          RealRoots({job.read_roots().begin(), job.read_roots().end()})};
}

FileUser UserOf(const worker::v1::JobContext& job) {
  return UserOf(job.has_owner_user() ? std::optional<uint32_t>(job.owner_user())
                                     : std::nullopt);
}

}  // namespace hydra
