#include "scheduler/core/drains.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/text/printable.h"

namespace hydra {

void Drains::Restore(const journal::v1::DrainRecord& record) {
  for (const journal::v1::DrainedDevice& drained : record.devices()) {
    WorkerRecord* const worker = Find(drained.device());
    if (worker != nullptr) roster_.SetDrained(*worker, drained.reason());
  }
  if (record.has_maintenance()) roster_.SetMaintenance(record.maintenance());
}

absl::StatusOr<bool> Drains::SetDevices(
    const std::vector<std::string>& devices,
    const std::optional<std::string>& reason) {
  std::vector<WorkerRecord*> workers;
  for (const std::string& device : devices) {
    workers.push_back(Find(device));
    if (workers.back() != nullptr) continue;
    return absl::NotFoundError(absl::StrCat(
        "there is no device ", Quoted(device), "; the server has ",
        absl::StrJoin(roster_.all(), ", ",
                      [](std::string* out, const WorkerRecord& worker) {
                        absl::StrAppend(out, worker.device.name);
                      })));
  }
  bool changed = false;
  for (WorkerRecord* worker : workers) {
    if (worker->drained == reason) continue;
    roster_.SetDrained(*worker, reason);
    changed = true;
  }
  if (changed) Record();
  return changed;
}

bool Drains::SetMaintenance(const std::optional<std::string>& reason) {
  if (roster_.maintenance() == reason) return false;
  roster_.SetMaintenance(reason);
  Record();
  return true;
}

WorkerRecord* Drains::Find(const std::string& device) {
  for (WorkerRecord& worker : roster_.all()) {
    if (worker.device.name == device) return &worker;
  }
  return nullptr;
}

void Drains::Record() {
  journal::v1::DrainRecord record;
  for (const WorkerRecord& worker : roster_.all()) {
    if (!worker.drained.has_value()) continue;
    journal::v1::DrainedDevice& drained = *record.add_devices();
    drained.set_device(worker.device.name);
    drained.set_reason(*worker.drained);
  }
  if (roster_.maintenance().has_value()) {
    record.set_maintenance(*roster_.maintenance());
  }
  journal_.DrainsChanged(record);
}

}  // namespace hydra
