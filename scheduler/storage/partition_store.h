#ifndef HYDRA_SCHEDULER_STORAGE_PARTITION_STORE_H_
#define HYDRA_SCHEDULER_STORAGE_PARTITION_STORE_H_

#include <map>
#include <string>

#include "absl/status/status.h"
#include "hydra/v1/status.pb.h"

namespace hydra {

// What pilots found, one JSON file for each architecture, batch shape,
// optimizer, device class and limit. Not thread-safe.
class PartitionStore {
 public:
  // The directory must exist.
  explicit PartitionStore(std::string directory);

  // By key. Files that cannot be read are left out, with a line in the log: the
  // pilot runs again.
  std::map<std::string, hydra::v1::Partition> Load() const;

  absl::Status Store(const std::string& key,
                     const hydra::v1::Partition& partition) const;

 private:
  const std::string directory_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_STORAGE_PARTITION_STORE_H_
