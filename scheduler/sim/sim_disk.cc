#include "scheduler/sim/sim_disk.h"

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "glog/logging.h"
#include "scheduler/core/records.h"
#include "scheduler/journal/record_change.h"
#include "scheduler/journal/tables.h"

namespace hydra {

void RecordEachBlock(SimDisk& disk) {
  std::vector<journal::v1::Change> changes;
  const absl::Status read = disk.pool.ForEach(
      kBlocksTable, [&](int64_t job, int64_t, absl::string_view value) {
        journal::v1::BlockRecord record;
        CHECK(record.ParseFromArray(value.data(), value.size()));
        for (const auto& [key, version] : BlocksOf(record)) {
          changes.push_back(
              MakePut(kBlocksTable, job, BlockNumber(key),
                      ToRecord(key, version).SerializeAsString()));
        }
        return absl::OkStatus();
      });
  CHECK(read.ok()) << read;
  CHECK(disk.pool.Apply(changes).ok());
}

}  // namespace hydra
