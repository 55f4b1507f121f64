// The part of World that keeps checkpoints and models, and checks them.

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "glog/logging.h"
#include "scheduler/core/records.h"
#include "scheduler/journal/record_change.h"
#include "scheduler/journal/tables.h"
#include "scheduler/sim/delays.h"
#include "scheduler/sim/world.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

}  // namespace

void World::Do(const SaveRequest& request) {
  uint64_t content = 0;
  for (const auto& [key, version] : request.blocks) {
    CHECK(version.slot.has_value());
    const SimBytes& bytes = pool_[version.slot->offset];
    CHECK_EQ(bytes.version, version.id.value());
    content = content * 31 + bytes.content;
  }
  const int64_t steps = request.detail.spec().train().max_steps();
  const uint64_t trained = trained_.try_emplace(steps, content).first->second;
  CHECK_EQ(trained, content)
      << JobName(request.job) << " was trained to another model";
  CheckMetrics(request);
  const JobId job = request.job;
  AtDaemon(Delay(kTaskTime), [=] {
    ++saves_;
    InCore([&](Core& core) { core.ModelSaved(job, absl::OkStatus(), now_); });
  });
}

// Losses follow from contents: each must be there, once, and be that of every
// other job. A power cut may take the newest ones, since they are on the disk a
// little after what they tell of.
void World::CheckMetrics(const SaveRequest& request) {
  std::map<std::pair<int64_t, std::string>, double> losses;
  for (const v1::StepMetrics& step : request.detail.steps()) {
    CHECK(losses.insert({{step.step(), "train"}, step.train_loss()}).second);
  }
  // Those that the core does not keep are on the disk.
  const int64_t first =
      request.detail.steps_size() > 0 ? request.detail.steps(0).step() : 0;
  const absl::Status read = disk_.jobs.ForEachOf(
      kStepsTable, request.job.value(),
      [&](int64_t, int64_t number, absl::string_view value) {
        v1::StepMetrics step;
        CHECK(step.ParseFromArray(value.data(), value.size()));
        if (number < first) losses[{number, "train"}] = step.train_loss();
        return absl::OkStatus();
      });
  CHECK(read.ok()) << read;
  const int64_t measured_steps = losses.size();
  for (const v1::EvaluationMetrics& evaluation : request.detail.evaluations()) {
    CHECK(losses
              .insert(
                  {{evaluation.step(), evaluation.split()}, evaluation.loss()})
              .second);
  }
  for (const auto& [what, loss] : losses) {
    CHECK_EQ(losses_.try_emplace(what, loss).first->second, loss)
        << JobName(request.job) << " step " << what.first << ", "
        << what.second;
  }
  const int64_t steps = request.detail.spec().train().max_steps();
  if (options_.power_cut == 0) {
    CHECK_EQ(measured_steps, steps);
    // Every second step, and at the end with the test split.
    CHECK_EQ(request.detail.evaluations_size(), (steps + 1) / 2 + 1)
        << request.detail.DebugString();
  }
}

void World::Do(const CheckpointRequest& request) {
  auto made = std::make_shared<SimCheckpoint>();
  made->job = request.job;
  made->record = ToRecord(request.manifest);
  made->record.mutable_info()->set_path(request.directory);
  made->damaged = Chance(options_.checkpoint_damage);
  WriteBlock(std::make_shared<const CheckpointRequest>(request), made, 0);
}

void World::WriteBlock(std::shared_ptr<const CheckpointRequest> request,
                       std::shared_ptr<SimCheckpoint> made, size_t index) {
  AtDaemon(Delay(options_.block_time), [=] {
    const JobId job = request->job;
    if (Chance(options_.checkpoint_failure / request->blocks.size())) {
      InCore([&](Core& core) {
        core.CheckpointWritten(job, absl::ResourceExhaustedError("disk full"),
                               now_);
      });
      return;
    }
    if (index == request->blocks.size()) {
      ++checkpoints_written_;
      disk_.checkpoints[request->directory] = *made;
      InCore([&](Core& core) { core.CheckpointWritten(job, 1000, now_); });
      return;
    }
    const auto& [key, version] = request->blocks[index];
    made->contents[key] = 0;
    if (version.slot.has_value()) {
      const SimBytes& bytes = pool_[version.slot->offset];
      CHECK_EQ(bytes.version, version.id.value())
          << "a pinned version was written over";
      made->contents[key] = bytes.content;
    }
    InCore([&](Core& core) { core.CheckpointBlockWritten(job, index); });
    WriteBlock(request, made, index + 1);
  });
}

void World::CrashEarlierDaemon() {
  CrashDaemon();
  std::vector<journal::v1::Change> changes;
  const absl::Status read = disk_.pool.ForEach(
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
  CHECK(disk_.pool.Apply(changes).ok());
}

void World::Do(const CheckpointRemoval& removal) {
  disk_.checkpoints.erase(removal.path);
}

}  // namespace hydra
