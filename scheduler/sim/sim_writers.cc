#include "scheduler/sim/sim_writers.h"

#include "absl/status/status.h"
#include "glog/logging.h"
#include "scheduler/core/records.h"
#include "scheduler/sim/delays.h"

namespace hydra {

void SimWriters::Write(const SaveRequest& request) {
  check_.Check(request);
  const JobId job = request.job;
  daemon_->At(machine_->random.Delay(kTaskTime), [=] {
    ++models_;
    daemon_->InCore([&](Core& core) {
      core.ModelSaved(job, absl::OkStatus(), machine_->agenda.now());
    });
  });
}

void SimWriters::Write(const CheckpointRequest& request) {
  auto made = std::make_shared<SimCheckpoint>();
  made->job = request.job;
  made->record = ToRecord(request.manifest);
  made->record.mutable_info()->set_path(request.directory);
  made->damaged = machine_->random.Chance(machine_->options.checkpoint_damage);
  WriteBlock(std::make_shared<const CheckpointRequest>(request), made, 0);
}

void SimWriters::WriteBlock(std::shared_ptr<const CheckpointRequest> request,
                            std::shared_ptr<SimCheckpoint> made, size_t index) {
  const WorldOptions& options = machine_->options;
  daemon_->At(machine_->random.Delay(options.block_time), [=, &options] {
    const absl::Time now = machine_->agenda.now();
    const JobId job = request->job;
    if (machine_->random.Chance(options.checkpoint_failure /
                                request->blocks.size())) {
      daemon_->InCore([&](Core& core) {
        core.CheckpointWritten(job, absl::ResourceExhaustedError("disk full"),
                               now);
      });
      return;
    }
    if (index == request->blocks.size()) {
      ++checkpoints_;
      machine_->disk.checkpoints[request->directory] = *made;
      daemon_->InCore(
          [&](Core& core) { core.CheckpointWritten(job, 1000, now); });
      return;
    }
    const auto& [key, version] = request->blocks[index];
    made->contents[key] = 0;
    if (version.slot.has_value()) {
      const SimBytes& bytes = machine_->pool[version.slot->offset];
      CHECK_EQ(bytes.version, version.id.value())
          << "a pinned version was written over";
      made->contents[key] = bytes.content;
    }
    daemon_->InCore(
        [&](Core& core) { core.CheckpointBlockWritten(job, index); });
    WriteBlock(request, made, index + 1);
  });
}

void SimWriters::Remove(const CheckpointRemoval& removal) {
  machine_->disk.checkpoints.erase(removal.path);
}

void SimWriters::Keep(const LineForJob& kept) {
  constexpr size_t kMostLines = 100;
  std::vector<std::string>& lines = lines_[kept.job];
  if (lines.size() < kMostLines) lines.push_back(kept.line.text());
}

}  // namespace hydra
