#include "worker/exec/task_runner.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <set>
#include <string>
#include <utility>
#include <variant>

#include "absl/container/btree_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "c10/util/Exception.h"
#include "common/chain/kind_bytes.h"
#include "common/chain/streamed_block.h"
#include "common/clock/steady_time.h"
#include "common/status/proto_time.h"
#include "worker/exec/backward_pass.h"
#include "worker/exec/forward_pass.h"
#include "worker/exec/init_pass.h"
#include "worker/exec/pass.h"
#include "worker/exec/pilot.h"
#include "worker/exec/reservation.h"
#include "worker/exec/task_blocks.h"
#include "worker/exec/update_pass.h"
#include "worker/exec/whole_reads.h"

namespace hydra {
namespace {

using worker::v1::JobContext;
using worker::v1::Task;
using worker::v1::TaskCost;
using worker::v1::TaskReport;

// Host memory that a worker keeps for what it can make again: hundreds of
// architectures, and the order of 2^26 windows.
constexpr int64_t kModelBytes = int64_t{64} << 20;
constexpr int64_t kOrderBytes = int64_t{256} << 20;
// Beyond so many shapes of tasks, all are forgotten and learned again.
constexpr size_t kMostShapes = 1 << 16;
// One part in so many of the device is never filled ahead: free memory may lie
// in pieces.
constexpr int64_t kSpareShare = 32;
// A task that leaves less than one part in so many beside that finds nothing of
// use in the cache: blocks that lie there would only be in its way.
constexpr int64_t kCacheShare = 16;
// What may be on its way to the host where no task of the shape has been seen.
constexpr int64_t kLeastDepartingBytes = int64_t{4} << 20;

// Wall and compute time since construction, and what the device stood still.
class Stopwatch {
 public:
  explicit Stopwatch(const Device& device)
      : device_(device),
        wall_begin_(SteadyNow()),
        compute_begin_(device.ComputeTime()),
        stall_begin_(device.StallTime()) {}

  // Returns how long the device stood still.
  absl::Duration Read(TaskCost& cost) const {
    *cost.mutable_begun() = ToProto(wall_begin_);
    // First, since it waits for the operations.
    *cost.mutable_compute() = ToProto(device_.ComputeTime() - compute_begin_);
    const absl::Duration wall = SteadyNow() - wall_begin_;
    *cost.mutable_wall() = ToProto(wall);
    const absl::Duration stalled = device_.StallTime() - stall_begin_;
    // The thread may have waited for the same copies.
    *cost.mutable_copy() =
        ToProto(std::min(wall, FromProto(cost.copy()) + stalled));
    return stalled;
  }

 private:
  const Device& device_;
  const absl::Time wall_begin_;
  const absl::Duration compute_begin_;
  const absl::Duration stall_begin_;
};

void AddTraffic(const BlockIo& io, int64_t peak_bytes, TaskCost& cost) {
  cost.set_promoted_bytes(cost.promoted_bytes() + io.promoted_bytes());
  cost.set_demoted_bytes(cost.demoted_bytes() + io.demoted_bytes());
  cost.set_cached_bytes(cost.cached_bytes() + io.cached_bytes());
  AddBytes(io.promoted_by_kind(), *cost.mutable_promoted());
  AddBytes(io.demoted_by_kind(), *cost.mutable_demoted());
  AddBytes(io.cached_by_kind(), *cost.mutable_cached());
  *cost.mutable_copy() = ToProto(FromProto(cost.copy()) + io.copy_time());
  cost.set_peak_bytes(std::max(cost.peak_bytes(), peak_bytes));
}

// What updates need is in the pool: no batches, and nothing of the device.
bool IsUpdate(const Task& task) {
  return task.kind() == worker::v1::TASK_KIND_UPDATE;
}

absl::Status CheckShard(const Task& task, const ModelTable& table) {
  if (task.first_layer() >= 0 && task.first_layer() < task.last_layer() &&
      task.last_layer() <= table.layer_count() &&
      (IsUpdate(task) || task.first_micro_batch() < task.last_micro_batch())) {
    return absl::OkStatus();
  }
  return absl::InternalError(absl::StrCat(
      "task ", task.task_id(), " names layers [", task.first_layer(), ", ",
      task.last_layer(), ") of ", table.layer_count(), " and batches [",
      task.first_micro_batch(), ", ", task.last_micro_batch(), ")"));
}

bool IsForward(const Task& task) {
  return task.kind() == worker::v1::TASK_KIND_FORWARD ||
         task.kind() == worker::v1::TASK_KIND_EVALUATE;
}

bool IsBackward(const Task& task) {
  return task.kind() == worker::v1::TASK_KIND_BACKWARD ||
         task.kind() == worker::v1::TASK_KIND_TURN;
}

// Tells the job's owner which layers learned nothing, if there are any.
// `has_loss`: the result's is the step's.
void LogSkippedBlocks(int64_t step, bool has_loss, const ModelTable& table,
                      const worker::v1::PassResult& result, LogSink& log) {
  if (result.skipped_blocks().empty()) return;
  absl::btree_set<int> layers;
  for (int block : result.skipped_blocks()) {
    layers.insert(table.parameter_blocks[block].owner());
  }
  std::string loss;
  if (has_loss && result.loss_tokens() > 0) {
    const double mean =
        result.loss_sum() / static_cast<double>(result.loss_tokens());
    loss = absl::StrCat(", loss ", mean);
  }
  log.Log(LogSink::Severity::kWarning,
          absl::StrCat("step ", step, loss, ": parameters of layers ",
                       absl::StrJoin(layers, ", "),
                       " were not updated, since their gradient is infinite "
                       "or no number"));
}

}  // namespace

TaskRunner::TaskRunner(Device* device, HostRange host,
                       Architectures architectures)
    : device_(device),
      host_(std::move(host)),
      cache_(&device->arena()),
      outbound_(device),
      models_(kModelBytes, architectures),
      batches_(kOrderBytes) {}

TaskReport TaskRunner::Run(const Task& task, const JobContext& job,
                           LogSink& log, TaskControl& control,
                           const FindNext& find_next) {
  Computed computed = Compute(task, job, log, control, find_next);
  const MaybeFailure failure = Catch([&]() -> MaybeFailure {
    if (computed.finish) computed.finish(computed.report);
    return std::nullopt;
  });
  if (failure) {
    cache_.DropAll();
    SetError(*failure, computed.report);
  }
  return std::move(computed.report);
}

TaskRunner::Computed TaskRunner::Compute(const Task& task,
                                         const JobContext& job, LogSink& log,
                                         TaskControl& control,
                                         const FindNext& find_next) {
  const Stopwatch stopwatch(*device_);
  Computed computed;
  TaskReport& report = computed.report;
  report.set_task_id(task.task_id());

  MaybeFailure failure =
      TryWithLessAndLess(task, job, log, control, find_next, computed);
  if (failure && failure->out_of_memory && BeginStreaming(task, job)) {
    log.Log(LogSink::Severity::kInfo,
            absl::StrCat("runs again with the last layer's table in ranges, "
                         "which whole was in the way: ",
                         failure->status.message()));
    failure = TryWithLessAndLess(task, job, log, control, find_next, computed);
  }
  if (failure) SetError(*failure, report);
  outbound_.waited_ns +=
      absl::ToInt64Nanoseconds(stopwatch.Read(*report.mutable_cost()));
  return computed;
}

TaskRunner::MaybeFailure TaskRunner::TryWithLessAndLess(
    const Task& task, const JobContext& job, LogSink& log, TaskControl& control,
    const FindNext& find_next, Computed& computed) {
  MaybeFailure failure;
  for (Memory memory : {Memory::kWithCache, Memory::kAsInPilot, Memory::kAll}) {
    if (memory == Memory::kWithCache && !FitsBesideCache(task, job)) {
      cache_.DropAll();
      continue;
    }
    failure = Try(memory, task, job, log, control, find_next, computed);
    const TaskShape shape = TaskShapeOf(task, job);
    if (!failure && memory == Memory::kWithCache) {
      cache_trials_.Succeeded(shape);
    }
    if (!failure || !failure->out_of_memory) break;
    if (memory == Memory::kWithCache) cache_trials_.Failed(shape);
    if (memory == Memory::kAll) continue;
    log.Log(LogSink::Severity::kInfo,
            absl::StrCat("runs again with less of the device cache, which was "
                         "in the way: ",
                         failure->status.message()));
  }
  return failure;
}

TaskRunner::MaybeFailure TaskRunner::Try(Memory memory, const Task& task,
                                         const JobContext& job, LogSink& log,
                                         TaskControl& control,
                                         const FindNext& find_next,
                                         Computed& computed) {
  TaskReport& report = computed.report;
  Attempt attempt(device_, host_,
                  memory == Memory::kWithCache ? &cache_ : nullptr, &outbound_,
                  &control, find_next);
  // Without the cache, memory must lie as it did in a pilot, which left nothing
  // on its way from one layer to the next.
  attempt.io.LimitDepartures(
      memory == Memory::kWithCache
          ? std::max(kLeastDepartingBytes, SpareRoom(task, job))
          : 0);
  const int64_t reserved_bytes =
      memory == Memory::kAsInPilot
          ? PilotReserveBytes(job.prefetch_bytes(),
                              device_->arena().limit_bytes())
          : 0;
  MaybeFailure failure = Catch([&] {
    const Reservation reservation(device_->arena(), reserved_bytes);
    return Dispatch(task, job, attempt, log, control, report);
  });
  if (failure && attempt.meter.layer() >= 0) {
    failure->layer = attempt.meter.layer();
  }
  // Soon the batches are gone, and a failed task's slots are others'.
  MaybeFailure device_failure;
  if (!failure) {
    device_failure = Catch([&]() -> MaybeFailure {
      attempt.io.AwaitReads();
      SetFinish(task, attempt, log, computed);
      return std::nullopt;
    });
  }
  if (failure || device_failure) {
    MaybeFailure settled = Settle(attempt.io);
    if (!device_failure) device_failure = std::move(settled);
  }
  AddTraffic(attempt.io, attempt.meter.PeakBytes(), *report.mutable_cost());
  if (device_failure) {
    // What it promoted and kept may be anything.
    cache_.DropAll();
    if (!failure) failure = std::move(device_failure);
  }
  if (!failure) {
    RememberNeed(task, job, attempt.meter.needed_bytes() - reserved_bytes);
    return std::nullopt;
  }
  computed.finish = nullptr;
  attempt.io.Rollback();
  if (failure->out_of_memory) cache_.DropAll();
  return failure;
}

void TaskRunner::SetFinish(const Task& task, Attempt& attempt, LogSink& log,
                           Computed& computed) {
  const BlockIo::Written written = attempt.io.written();
  HostUpdates* const updates = &outbound_.updates;
  computed.finish =
      [device = device_, updates, written, step = task.step(),
       has_loss = task.first_micro_batch() == 0,
       scales_loss = task.loss_scale() > 0, model = std::move(attempt.model),
       results = std::move(attempt.results), log = &log](TaskReport& report) {
        device->Await(written.copied);
        updates->Await(written.made_after, written.made);
        for (int block : results.SkippedBlocks()) {
          report.mutable_pass()->add_skipped_blocks(block);
        }
        if (results.clip() != nullptr) {
          report.mutable_pass()->set_grad_norm(results.clip()->norm);
        }
        // That it was the scale, the daemon tells.
        const bool overflowed = scales_loss && results.clip() != nullptr &&
                                !std::isfinite(results.clip()->norm);
        if (model != nullptr && !overflowed) {
          LogSkippedBlocks(step, has_loss, model->table, report.pass(), *log);
        }
      };
  if (!device_->IsDone(written.copied) || !updates->IsDone(written.made)) {
    return;
  }
  std::exchange(computed.finish, nullptr)(computed.report);
}

TaskRunner::MaybeFailure TaskRunner::Settle(BlockIo& io) {
  MaybeFailure updates = Catch([&io]() -> MaybeFailure {
    io.AwaitUpdates();
    return std::nullopt;
  });
  MaybeFailure copies = Catch([this]() -> MaybeFailure {
    device_->Synchronize();
    return std::nullopt;
  });
  return copies ? copies : updates;
}

TaskRunner::MaybeFailure TaskRunner::Catch(
    absl::FunctionRef<MaybeFailure()> body) {
  TaskFailure failure;
  try {
    return body();
  } catch (const TaskStopped& stopped) {
    failure.status = absl::AbortedError(stopped.what());
  } catch (const c10::OutOfMemoryError& error) {
    failure.out_of_memory = true;
    failure.status =
        absl::ResourceExhaustedError(error.what_without_backtrace());
  } catch (const c10::Error& error) {
    failure.status = absl::InternalError(error.what_without_backtrace());
  } catch (const std::exception& error) {
    failure.status = absl::InternalError(error.what());
  }
  return failure;
}

TaskRunner::MaybeFailure TaskRunner::Dispatch(const Task& task,
                                              const JobContext& job,
                                              Attempt& attempt, LogSink& log,
                                              TaskControl& control,
                                              TaskReport& report) {
  if (task.kind() == worker::v1::TASK_KIND_NOOP) {
    report.mutable_pass();
    return std::nullopt;
  }
  const auto found = models_.For(job);
  if (!found.ok()) {
    TaskFailure failure{found.status()};
    // Of layers that are code; see LayerCode::Load.
    failure.out_of_memory = absl::IsResourceExhausted(found.status());
    return failure;
  }
  const JobModel& model = *found;
  switch (task.kind()) {
    case worker::v1::TASK_KIND_PILOT: {
      cache_.DropAll();
      // What was on its way there has its memory until it has come.
      device_->Synchronize();
      PilotOutcome outcome = RunPilot(job, model, device_, log, &control);
      if (auto* failure = std::get_if<TaskFailure>(&outcome)) return *failure;
      *report.mutable_pilot() =
          std::get<worker::v1::PilotResult>(std::move(outcome));
      return std::nullopt;
    }
    case worker::v1::TASK_KIND_INIT: {
      const absl::StatusOr<int64_t> filled_bytes =
          RunInitPass(task, job, model.table, host_, &control);
      if (!filled_bytes.ok()) return TaskFailure{filled_bytes.status()};
      report.mutable_cost()->set_demoted_bytes(*filled_bytes);
      report.mutable_pass();
      return std::nullopt;
    }
    default:
      return RunShard(task, job, model, attempt, report);
  }
}

TaskRunner::MaybeFailure TaskRunner::RunShard(const Task& task,
                                              const JobContext& job,
                                              const JobModel& model,
                                              Attempt& attempt,
                                              TaskReport& report) {
  if (absl::Status valid = CheckShard(task, model.table); !valid.ok()) {
    return TaskFailure{std::move(valid)};
  }
  if (!IsUpdate(task)) {
    auto batches = batches_.Read(task, job, model.table);
    if (!batches.ok()) return TaskFailure{batches.status()};
    attempt.batches = *std::move(batches);
  }
  // Fetched before it was made: a task that was to be run in between went away.
  for (const worker::v1::BlockVersion& write : task.writes()) {
    attempt.io.Forget(write);
  }
  const TaskBlocks blocks(task);
  const int streamed_block = StreamedBlockOf(task, job, model);
  std::optional<Prefetcher> prefetcher;
  if (attempt.prefetches) {
    const auto find_coming =
        [&](int index) -> std::optional<Prefetcher::ComingTask> {
      if (!attempt.find_next) return std::nullopt;
      const auto next = attempt.find_next(index);
      if (!next) return std::nullopt;
      return ComingTaskOf(*next);
    };
    prefetcher.emplace(&attempt.io, &cache_, task,
                       WholeReads(task, model.table, streamed_block),
                       find_coming,
                       // The other half, at least, is for what goes.
                       SpareRoom(task, job) / 2);
  }
  const Pass pass{task,
                  blocks,
                  model,
                  attempt.batches,
                  attempt.io,
                  attempt.meter,
                  attempt.results,
                  prefetcher ? &*prefetcher : nullptr,
                  streamed_block};
  *report.mutable_pass() = IsUpdate(task)     ? RunUpdatePass(pass)
                           : IsBackward(task) ? RunBackwardPass(pass)
                                              : RunForwardPass(pass);
  if (IsUpdate(task) || IsBackward(task)) {
    report.mutable_cost()->set_updates(pass.updates_on_host()
                                           ? hydra::v1::UPDATE_PLACE_HOST
                                           : hydra::v1::UPDATE_PLACE_DEVICE);
  }
  attempt.model = model.built;
  return std::nullopt;
}

int TaskRunner::StreamedBlockOf(const Task& task, const JobContext& job,
                                const JobModel& model) const {
  const int64_t limit_bytes = device_->arena().limit_bytes();
  // The same room as in a pilot: what fitted there is done here likewise.
  const int64_t room_bytes =
      streams_anyway_.contains(TaskShapeOf(task, job))
          ? 0
          : limit_bytes - PilotReserveBytes(job.prefetch_bytes(), limit_bytes);
  return StreamedBlock(model.shape, {task.first_layer(), task.last_layer()},
                       room_bytes);
}

bool TaskRunner::BeginStreaming(const Task& task, const JobContext& job) {
  const auto model = models_.For(job);
  if (!model.ok() || !CheckShard(task, model->table).ok()) return false;
  if (StreamedBlockOf(task, job, *model) != kNoBlock) return false;
  if (streams_anyway_.size() >= kMostShapes) streams_anyway_.clear();
  streams_anyway_.insert(TaskShapeOf(task, job));
  return StreamedBlockOf(task, job, *model) != kNoBlock;
}

int64_t TaskRunner::SpareRoom(const Task& task, const JobContext& job) const {
  const auto needed = needed_bytes_.find(TaskShapeOf(task, job));
  if (needed == needed_bytes_.end()) return 0;
  const int64_t limit = device_->arena().limit_bytes();
  return limit - limit / kSpareShare - needed->second;
}

Prefetcher::ComingTask TaskRunner::ComingTaskOf(const NextTask& next) {
  Prefetcher::ComingTask coming;
  for (const worker::v1::BlockVersion& write : next.task.writes()) {
    coming.makes.push_back(VersionId(write.version()));
  }
  const auto model = models_.For(*next.job);
  // It has not been checked yet; it will be when it runs.
  if (model.ok() && CheckShard(next.task, model->table).ok()) {
    coming.reads = WholeReads(next.task, model->table,
                              StreamedBlockOf(next.task, *next.job, *model));
  }
  return coming;
}

bool TaskRunner::FitsBesideCache(const Task& task, const JobContext& job) {
  // Others make room by themselves, or need none.
  if (!IsForward(task) && !IsBackward(task)) return true;
  const TaskShape shape = TaskShapeOf(task, job);
  const int64_t limit = device_->arena().limit_bytes();
  const bool has_room = needed_bytes_.contains(shape)
                            ? SpareRoom(task, job) >= limit / kCacheShare
                            : BlockBytesOf(task, job) < limit / 2;
  return has_room && cache_trials_.MayTry(shape);
}

int64_t TaskRunner::BlockBytesOf(const Task& task, const JobContext& job) {
  const auto model = models_.For(job);
  // It is not checked yet; it will be when it runs.
  if (!model.ok() || !CheckShard(task, model->table).ok()) return 0;
  const int streamed_block = StreamedBlockOf(task, job, *model);
  std::set<int> blocks;
  for (int layer = task.first_layer(); layer < task.last_layer(); ++layer) {
    for (int block : model->table.layers[layer].parameter_blocks) {
      if (block != streamed_block &&
          !model->table.parameter_blocks[block].gathered_by(layer)) {
        blocks.insert(block);
      }
    }
  }
  int64_t bytes = 0;
  for (int block : blocks) {
    bytes += model->shape.ParameterBytes(block);
    if (IsBackward(task) && !model->table.parameter_blocks[block].frozen) {
      bytes += model->shape.GradientBytes(block);
    }
  }
  return bytes;
}

void TaskRunner::RememberNeed(const Task& task, const JobContext& job,
                              int64_t bytes) {
  if (needed_bytes_.size() >= kMostShapes) needed_bytes_.clear();
  int64_t& most = needed_bytes_[TaskShapeOf(task, job)];
  most = std::max(most, bytes);
}

}  // namespace hydra
