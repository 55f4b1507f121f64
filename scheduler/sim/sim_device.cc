#include "scheduler/sim/sim_device.h"

#include <limits>

#include "common/hash/split_mix.h"
#include "glog/logging.h"
#include "scheduler/journal/tables.h"

namespace hydra {
namespace {

namespace wv1 = hydra::worker::v1;

// With a scaled loss, one in so many steps.
constexpr int64_t kOverflowEvery = 4;

// Every bit of both numbers matters.
uint64_t Mix(uint64_t a, uint64_t b) { return SplitMix(a * kSplitMixStep + b); }

}  // namespace

void SimDevice::CheckReads(const wv1::Task& task) const {
  for (const wv1::BlockVersion& read : task.reads()) {
    if (read.zero()) continue;
    auto found = pool_->find(read.offset_bytes());
    CHECK(found != pool_->end() && found->second.version == read.version())
        << "task " << task.task_id() << " reads version " << read.version()
        << " at " << read.offset_bytes() << " and finds "
        << (found == pool_->end() ? 0 : found->second.version);
  }
}

absl::Status SimDevice::Compute(const wv1::Task& task, int64_t reserve_bytes,
                                wv1::TaskReport& report) {
  FillIn(task, reserve_bytes, report);
  return Write(task);
}

void SimDevice::FillIn(const wv1::Task& task, int64_t reserve_bytes,
                       wv1::TaskReport& report) const {
  if (task.kind() == wv1::TASK_KIND_PREPARE) {
    for (wv1::Split split :
         {wv1::SPLIT_TRAIN, wv1::SPLIT_VALIDATION, wv1::SPLIT_TEST}) {
      if (setup_->trains_only && split != wv1::SPLIT_TRAIN) continue;
      wv1::PreparedSplit* prepared = report.mutable_prepare()->add_splits();
      prepared->set_split(split);
      prepared->set_token_file(setup_->token_file);
      prepared->set_token_count(setup_->token_count);
    }
    report.mutable_prepare()->add_warnings("the data is simulated");
  } else if (task.kind() == wv1::TASK_KIND_PILOT) {
    const bool leaves_free = reserve_bytes > 0;
    const int layers = leaves_free ? 1 : setup_->layers_per_shard;
    for (int layer = 0; layer < task.last_layer(); ++layer) {
      if (layer > 0 && layer % layers == 0) {
        report.mutable_pilot()->add_cut_points(layer);
      }
      report.mutable_pilot()->add_layers()->mutable_forward()->set_seconds(1);
    }
  } else {
    // From 0 to 2^20, so that sums are exact.
    const auto loss = static_cast<double>(InputOf(task) >> 44);
    report.mutable_pass()->set_loss_sum(loss);
    report.mutable_pass()->set_loss_tokens(1);
    report.mutable_pass()->add_batch_loss_sums(loss);
    if (task.kind() == wv1::TASK_KIND_UPDATE && task.loss_scale() > 0) {
      const bool overflows = task.step() % kOverflowEvery == 1;
      report.mutable_pass()->set_grad_norm(
          overflows ? std::numeric_limits<double>::infinity() : loss);
      if (overflows) report.mutable_pass()->add_skipped_blocks(0);
    }
  }
}

uint64_t SimDevice::InputOf(const wv1::Task& task) const {
  uint64_t input = Mix(Mix(task.kind(), task.step()),
                       Mix(task.split(), task.first_micro_batch()));
  if (task.loss_scale() > 0) {
    input = Mix(input, static_cast<uint64_t>(task.loss_scale()));
    input = Mix(input, task.skipped_steps());
  }
  for (const wv1::BlockVersion& read : task.reads()) {
    input =
        Mix(input, read.zero() ? 0 : pool_->at(read.offset_bytes()).content);
  }
  return input;
}

bool SimDevice::HasRoomFor(const wv1::Task& task) const {
  if (setup_->layers_in_device == 0) return true;
  if (task.kind() == wv1::TASK_KIND_PREPARE ||
      task.kind() == wv1::TASK_KIND_PILOT ||
      task.kind() == wv1::TASK_KIND_INIT ||
      task.kind() == wv1::TASK_KIND_UPDATE) {
    return true;
  }
  return task.last_layer() - task.first_layer() <= setup_->layers_in_device;
}

absl::Status SimDevice::Write(const wv1::Task& task) {
  const SimCheckpoint* checkpoint = nullptr;
  if (!task.restore_dir().empty()) {
    auto found = checkpoints_->find(task.restore_dir());
    if (found == checkpoints_->end()) return absl::NotFoundError("");
    if (found->second.damaged) return absl::DataLossError("");
    if (found->second.unreadable) return absl::PermissionDeniedError("");
    checkpoint = &found->second;
  }
  const uint64_t input = InputOf(task);
  for (const wv1::BlockVersion& write : task.writes()) {
    const BlockKey key = BlockKeyOf(write);
    uint64_t content = Mix(input, BlockNumber(key));
    if (checkpoint != nullptr) content = checkpoint->contents.at(key);
    (*pool_)[write.offset_bytes()] = {write.version(), content};
  }
  return absl::OkStatus();
}

}  // namespace hydra
