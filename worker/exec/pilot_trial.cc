#include "worker/exec/pilot_trial.h"

#include <algorithm>
#include <cstddef>
#include <exception>
#include <memory>
#include <random>
#include <utility>

#include "absl/base/casts.h"
#include "c10/util/Exception.h"
#include "common/chain/chain_task.h"
#include "common/chain/layer_range.h"
#include "common/chain/streamed_block.h"
#include "common/data/batch_plan.h"
#include "common/data/data_format.h"
#include "worker/exec/backward_pass.h"
#include "worker/exec/forward_pass.h"
#include "worker/exec/pass.h"
#include "worker/exec/reservation.h"
#include "worker/exec/row_gradient_sum.h"
#include "worker/exec/trial_task.h"

namespace hydra {
namespace {

using worker::v1::Task;

// `has_targets`: they lie on the device beside the tokens.
HostBatch RandomBatch(int64_t sequences, int64_t context, int64_t vocabulary,
                      bool has_targets, std::mt19937& random) {
  std::uniform_int_distribution<int64_t> token(0, vocabulary - 1);
  HostBatch batch;
  batch.sequences = sequences;
  batch.context = context;
  batch.tokens.resize(sequences * (context + 1));
  for (int64_t& id : batch.tokens) id = token(random);
  if (!has_targets) return batch;
  batch.targets.assign(sequences * context, 0);
  batch.targets.front() = kNoTarget;
  batch.untrained_targets = 1;
  return batch;
}

// As large as can be.
HostBatch RandomWholeBatch(int64_t sequences, int64_t context,
                           const ModelTable& table, std::mt19937& random) {
  HostBatch batch = RandomBatch(sequences, context, table.vocabulary_size,
                                /*has_targets=*/true, random);
  batch.lengths.assign(sequences, context);
  batch.token_types.assign(sequences * context, 0);
  if (table.objective == Objective::kClass) {
    std::uniform_int_distribution<int64_t> label(0, table.classes.count - 1);
    batch.targets.resize(sequences);
    for (int64_t& target : batch.targets) target = label(random);
    batch.untrained_targets = 0;
  }
  return batch;
}

HostBatch RandomBatch(int64_t sequences, const ExampleInput& input,
                      std::mt19937& random) {
  std::uniform_real_distribution<float> number(-1, 1);
  std::uniform_int_distribution<int64_t> label(0, input.class_count - 1);
  HostBatch batch;
  batch.sequences = sequences;
  batch.context = 1;
  batch.targets.resize(sequences);
  for (int64_t& target : batch.targets) target = label(random);
  batch.examples.resize(sequences * input.element_count());
  for (float& one : batch.examples) one = number(random);
  return batch;
}

// Before this layer a shard leaves its gathered table on the host, and all of
// its layers have more room; -1: it does anyway.
int FirstToHoldATable(const ModelTable& table, const LayerRange& layers) {
  int first = -1;
  for (const ParameterBlock& block : table.parameter_blocks) {
    if (!block.rows_are_gathered || !layers.Contains(block.owner())) continue;
    for (int user : block.layers) {
      if (user == block.owner() || !layers.Contains(user)) continue;
      first = std::max(first, user);
      break;
    }
  }
  return first;
}

// The first one has no gradients yet, and the last one gives them away layer by
// layer, so the one between needs the most: it has all of them throughout.
constexpr int kMostMicroBatches = 3;

std::unique_ptr<const RepeatedMemory> MakeMemory(int64_t bytes) {
  auto memory = RepeatedMemory::Create(bytes, kPilotPieceBytes);
  TORCH_CHECK(memory.ok(), "a pilot has ", memory.status().message());
  return *std::move(memory);
}

}  // namespace

PilotTrial::PilotTrial(const worker::v1::JobContext& job, const JobModel& model,
                       Device* device, int64_t reserve_bytes,
                       TaskControl* control)
    : model_(model),
      device_(device),
      reserve_bytes_(reserve_bytes),
      control_(control) {
  const JobShape& shape = model.shape;
  const bool has_targets = IsConversations(job.spec().data().format());
  std::mt19937 random;  // Its default seed: a pilot repeats itself.
  const auto make_batch = [&](int64_t sequences) {
    if (model.table.examples.has_value()) {
      return RandomBatch(sequences, *model.table.examples, random);
    }
    if (model.table.takes_whole_sequences()) {
      return RandomWholeBatch(sequences, shape.context_length, model.table,
                              random);
    }
    return RandomBatch(sequences, shape.context_length,
                       model.table.vocabulary_size, has_targets, random);
  };
  for (int i = 0; i < std::min(shape.micro_batches, kMostMicroBatches); ++i) {
    training_.push_back(make_batch(shape.micro_batch_size));
    training_.back().training = true;
    training_.back().gradient_scale = GradientScale(job.spec().train());
  }
  evaluation_.push_back(make_batch(shape.eval_batch_size));

  int64_t largest = shape.LargestBoundaryBytes();
  const int blocks = static_cast<int>(model.table.parameter_blocks.size());
  for (int block = 0; block < blocks; ++block) {
    largest = std::max({largest, shape.ParameterBytes(block),
                        shape.GradientBytes(block), shape.StateBytes(block)});
  }
  // Positive, for second moments too, and small and finite as two numbers of
  // two bytes, for parameters of so many.
  std::uniform_int_distribution<uint32_t> small(
      absl::bit_cast<uint32_t>(0.001f), absl::bit_cast<uint32_t>(0.02f));
  read_ = MakeMemory(largest);
  made_ = MakeMemory(largest);
  const absl::Span<std::byte> piece = read_->piece();
  const absl::Span<float> numbers(reinterpret_cast<float*>(piece.data()),
                                  piece.size() / kFloatBytes);
  for (float& number : numbers) {
    const uint32_t half = small(random) >> 16;
    number = absl::bit_cast<float>(half << 16 | half);
  }
}

PilotTrial::~PilotTrial() {
  try {
    device_->Synchronize();
  } catch (const std::exception&) {
    // No copy is left then, either. Run has thrown already, or did not need
    // what is lost.
  }
}

TrialOutcome PilotTrial::Run(int first, int last) {
  BlockIo io(
      device_,
      [this](int64_t offset, int64_t bytes) {
        return HostBytes(offset, bytes);
      },
      /*cache=*/nullptr);
  LayerMeter meter(device_, &io, control_, /*synchronize=*/true);
  TrialOutcome outcome;
  const LayerRange layers{first, last};
  const int training = static_cast<int>(training_.size());
  try {
    const Reservation reservation(device_->arena(), reserve_bytes_);
    const bool has_head = last == model_.table.layer_count();
    const bool goes_back = has_head || HandsGradientsDown(model_.table, last);
    const Task forward = TrialTask(model_.shape, worker::v1::TASK_KIND_FORWARD,
                                   layers, training);
    if (goes_back) {
      const Reservation kept(device_->arena(), KeptBytesNotRun(layers));
      RunPass(BackwardTask(layers), training_, io, meter);
    } else {
      RunPass(forward, training_, io, meter);
    }
    outcome.measures = meter.measures();
    outcome.micro_batches = training;
    for (auto& [layer, measure] : outcome.measures) {
      measure.peak_bytes -= reserve_bytes_;
    }
    if (goes_back && !has_head) RunPass(forward, training_, io, meter);
    LayerMeter evaluation(device_, &io, control_, /*synchronize=*/true);
    RunPass(TrialTask(model_.shape, worker::v1::TASK_KIND_EVALUATE, layers,
                      static_cast<int>(evaluation_.size())),
            evaluation_, io, evaluation);
    const double micro_batch_share =
        static_cast<double>(training_.front().sequences) /
        static_cast<double>(evaluation_.front().sequences);
    for (const auto& [layer, measure] : evaluation.measures()) {
      outcome.evaluation[layer] = measure.forward * micro_batch_share;
    }
    device_->Synchronize();
    outcome.fits = true;
  } catch (const c10::OutOfMemoryError& error) {
    // Recomputing the first micro-batch needs nothing of later layers, but for
    // a table.
    const bool later_layers_do_not_matter =
        outcome.measures.empty() && meter.layer() >= 0 &&
        meter.micro_batch() == 0 &&
        meter.phase() == LayerMeter::Phase::kForward;
    outcome.failed_layer =
        later_layers_do_not_matter
            ? std::max(meter.layer(), FirstToHoldATable(model_.table, layers))
            : last - 1;
    outcome.message = error.what_without_backtrace();
  }
  return outcome;
}

Task PilotTrial::BackwardTask(const LayerRange& layers) const {
  const bool has_head = layers.last == model_.table.layer_count();
  Task task = TrialTask(
      model_.shape,
      has_head ? worker::v1::TASK_KIND_TURN : worker::v1::TASK_KIND_BACKWARD,
      layers, static_cast<int>(training_.size()));
  // What the pass keeps of each micro-batch, it keeps as for a whole step.
  task.set_last_micro_batch(model_.shape.micro_batches);
  return task;
}

void PilotTrial::RunPass(const Task& task, absl::Span<const HostBatch> batches,
                         BlockIo& io, LayerMeter& meter) {
  const TaskBlocks blocks(task);
  UpdateResults results;
  const Pass pass{
      task,
      blocks,
      model_,
      batches,
      io,
      meter,
      results,
      /*prefetcher=*/nullptr,
      StreamedBlock(model_.shape, {task.first_layer(), task.last_layer()},
                    RoomForTable())};
  if (task.kind() == worker::v1::TASK_KIND_FORWARD ||
      task.kind() == worker::v1::TASK_KIND_EVALUATE) {
    RunForwardPass(pass);
  } else {
    RunBackwardPass(pass);
  }
}

absl::Span<std::byte> PilotTrial::HostBytes(int64_t offset, int64_t bytes) {
  if (offset >= kMadeOffset) return made_->all().subspan(0, bytes);
  return read_->all().subspan(offset, bytes);
}

int64_t PilotTrial::RoomForTable() const {
  return streams_anyway_ ? 0 : device_->arena().limit_bytes() - reserve_bytes_;
}

int64_t PilotTrial::KeptBytesNotRun(const LayerRange& layers) const {
  if (UpdatesOnHost(model_, *device_)) return 0;
  const HostBatch& batch = training_.front();
  const int64_t rows = batch.sequences * batch.context;
  int64_t kept_bytes = 0;
  for (const ParameterBlock& block : model_.table.parameter_blocks) {
    if (!block.rows_are_gathered || block.frozen ||
        !layers.Contains(block.owner()) ||
        !RowGradientSum::KeepsParts(block, rows, model_.shape.micro_batches)) {
      continue;
    }
    const int64_t width = block.tensors.front().shape[1];
    const auto token_bytes =
        static_cast<int64_t>(batch.tokens.size() * sizeof(int64_t));
    kept_bytes +=
        (model_.shape.micro_batches - static_cast<int64_t>(training_.size())) *
        (AlignedTensorBytes(rows * width * kFloatBytes) +
         AlignedTensorBytes(token_bytes));
  }
  return kept_bytes;
}

}  // namespace hydra
