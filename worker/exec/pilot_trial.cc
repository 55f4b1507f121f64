#include "worker/exec/pilot_trial.h"

#include <algorithm>
#include <cstddef>
#include <exception>
#include <memory>
#include <random>
#include <utility>

#include "absl/container/btree_set.h"
#include "c10/util/Exception.h"
#include "worker/exec/backward_pass.h"
#include "worker/exec/forward_pass.h"
#include "worker/exec/pass.h"
#include "worker/exec/reservation.h"
#include "worker/exec/token_table_gradient.h"

namespace hydra {
namespace {

using worker::v1::BlockKind;
using worker::v1::BlockVersion;
using worker::v1::Task;

HostBatch RandomBatch(int64_t sequences, int64_t context, int64_t vocabulary,
                      std::mt19937& random) {
  std::uniform_int_distribution<int64_t> token(0, vocabulary - 1);
  HostBatch batch;
  batch.sequences = sequences;
  batch.context = context;
  batch.tokens.resize(sequences * (context + 1));
  for (int64_t& id : batch.tokens) id = token(random);
  return batch;
}

void Fill(BlockVersion* version, BlockKind kind, int index, int64_t bytes,
          int micro_batch = 0) {
  version->set_kind(kind);
  version->set_index(index);
  version->set_micro_batch(micro_batch);
  version->set_size_bytes(bytes);
}

// Only the first one has no gradients yet.
constexpr int kMostMicroBatches = 2;

// Where the pool's offsets of what a trial makes begin.
constexpr int64_t kMadeOffset = int64_t{1} << 60;

std::unique_ptr<const RepeatedMemory> MakeMemory(int64_t bytes) {
  auto memory = RepeatedMemory::Create(bytes, kPilotPieceBytes);
  TORCH_CHECK(memory.ok(), "a pilot has ", memory.status().message());
  return *std::move(memory);
}

void AddWrite(Task& task, BlockKind kind, int index, int64_t bytes,
              int micro_batch = 0) {
  BlockVersion* const version = task.add_writes();
  Fill(version, kind, index, bytes, micro_batch);
  version->set_offset_bytes(kMadeOffset);
}

}  // namespace

PilotTrial::PilotTrial(const worker::v1::JobContext& job, const JobModel& model,
                       Device* device, int64_t reserve_bytes,
                       TaskControl* control)
    : model_(model),
      device_(device),
      reserve_bytes_(reserve_bytes),
      control_(control),
      micro_batches_(static_cast<int>(MicroBatchCount(job.spec().train()))) {
  const hydra::v1::TrainSpec& train = job.spec().train();
  const int64_t vocabulary = model.table.config.vocab_size;
  std::mt19937 random;  // Its default seed: a pilot repeats itself.
  for (int i = 0; i < std::min(micro_batches_, kMostMicroBatches); ++i) {
    training_.push_back(RandomBatch(train.per_device_train_batch_size(),
                                    train.context_length(), vocabulary,
                                    random));
    training_.back().training = true;
    training_.back().gradient_scale = GradientScale(train);
  }
  evaluation_.push_back(RandomBatch(EvaluationBatchSize(job.spec()),
                                    train.context_length(), vocabulary,
                                    random));

  int64_t largest =
      std::max(model.table.BoundaryBytes(training_.front().sequences,
                                         train.context_length()),
               model.table.BoundaryBytes(evaluation_.front().sequences,
                                         train.context_length()));
  for (const ParameterBlock& block : model.table.parameter_blocks) {
    largest =
        std::max(largest, block.size_bytes * std::max(1, model.moment_count));
  }
  // Positive, for second moments too.
  std::uniform_real_distribution<float> small(0.001f, 0.02f);
  read_ = MakeMemory(largest);
  made_ = MakeMemory(largest);
  const absl::Span<std::byte> piece = read_->piece();
  const absl::Span<float> numbers(reinterpret_cast<float*>(piece.data()),
                                  piece.size() / kFloatBytes);
  for (float& number : numbers) number = small(random);
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
  try {
    const Reservation reservation(device_->arena(), reserve_bytes_);
    {
      const Reservation kept(device_->arena(),
                             first == 0 ? KeptBytesNotRun() : 0);
      RunPass(BackwardTask(first, last), training_, io, meter);
    }
    outcome.measures = meter.measures();
    outcome.micro_batches = static_cast<int>(training_.size());
    for (auto& [layer, measure] : outcome.measures) {
      measure.peak_bytes -= reserve_bytes_;
    }
    if (last < model_.table.layer_count()) {
      RunPass(
          ForwardTask(worker::v1::TASK_KIND_FORWARD, first, last, training_),
          training_, io, meter);
    }
    LayerMeter evaluation(device_, &io, control_, /*synchronize=*/true);
    RunPass(
        ForwardTask(worker::v1::TASK_KIND_EVALUATE, first, last, evaluation_),
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
    // Recomputing the first micro-batch needs nothing of later layers.
    const bool later_layers_do_not_matter =
        outcome.measures.empty() && meter.layer() >= 0 &&
        meter.micro_batch() == 0 &&
        meter.phase() == LayerMeter::Phase::kForward;
    outcome.failed_layer =
        later_layers_do_not_matter ? meter.layer() : last - 1;
    outcome.message = error.what_without_backtrace();
  }
  return outcome;
}

void PilotTrial::RunPass(const Task& task, absl::Span<const HostBatch> batches,
                         BlockIo& io, LayerMeter& meter) {
  const TaskBlocks blocks(task);
  const Pass pass{task, blocks, model_, batches, io, meter};
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

int64_t PilotTrial::KeptBytesNotRun() const {
  const HostBatch& batch = training_.front();
  const Gpt2Config& config = model_.table.config;
  const int64_t part_bytes =
      batch.sequences * batch.context * config.n_embd * kFloatBytes;
  if (!TokenTableGradient::KeepsParts(config.vocab_size, config.n_embd,
                                      micro_batches_, part_bytes)) {
    return 0;
  }
  const int64_t token_bytes =
      static_cast<int64_t>(batch.tokens.size() * sizeof(int64_t));
  const auto aligned = [](int64_t bytes) {
    return (bytes + kTensorAlignmentBytes - 1) / kTensorAlignmentBytes *
           kTensorAlignmentBytes;
  };
  return (micro_batches_ - static_cast<int64_t>(training_.size())) *
         (aligned(part_bytes) + aligned(token_bytes));
}

Task PilotTrial::BackwardTask(int first, int last) const {
  const bool has_head = last == model_.table.layer_count();
  const int64_t boundary = model_.table.BoundaryBytes(
      training_.front().sequences, training_.front().context);
  Task task;
  task.set_kind(has_head ? worker::v1::TASK_KIND_TURN
                         : worker::v1::TASK_KIND_BACKWARD);
  task.set_first_layer(first);
  task.set_last_layer(last);
  task.set_last_micro_batch(micro_batches_);
  AddParameters(task);
  AddUpdates(task);
  for (int i = 0; i < training_.size(); ++i) {
    if (first > 0) {
      Fill(task.add_reads(), worker::v1::BLOCK_KIND_ACTIVATION, first, boundary,
           i);
      AddWrite(task, worker::v1::BLOCK_KIND_ACTIVATION_GRADIENT, first,
               boundary, i);
    }
    if (!has_head) {
      Fill(task.add_reads(), worker::v1::BLOCK_KIND_ACTIVATION_GRADIENT, last,
           boundary, i);
    }
  }
  return task;
}

Task PilotTrial::ForwardTask(worker::v1::TaskKind kind, int first, int last,
                             absl::Span<const HostBatch> batches) const {
  const int64_t boundary = model_.table.BoundaryBytes(batches.front().sequences,
                                                      batches.front().context);
  Task task;
  task.set_kind(kind);
  task.set_first_layer(first);
  task.set_last_layer(last);
  AddParameters(task);
  for (int i = 0; i < static_cast<int>(batches.size()); ++i) {
    if (first > 0) {
      Fill(task.add_reads(), worker::v1::BLOCK_KIND_ACTIVATION, first, boundary,
           i);
    }
    if (last < model_.table.layer_count()) {
      AddWrite(task, worker::v1::BLOCK_KIND_ACTIVATION, last, boundary, i);
    }
  }
  return task;
}

void PilotTrial::AddParameters(Task& task) const {
  absl::btree_set<int> used;
  for (int i = task.first_layer(); i < task.last_layer(); ++i) {
    const std::vector<int>& blocks = model_.table.layers[i].parameter_blocks;
    used.insert(blocks.begin(), blocks.end());
  }
  for (int block : used) {
    Fill(task.add_reads(), worker::v1::BLOCK_KIND_PARAMETERS, block,
         model_.table.parameter_blocks[block].size_bytes);
  }
}

void PilotTrial::AddUpdates(Task& task) const {
  const Task uses = task;
  for (const BlockVersion& read : uses.reads()) {
    const ParameterBlock& block = model_.table.parameter_blocks[read.index()];
    if (block.owner() < task.first_layer()) {
      AddWrite(task, worker::v1::BLOCK_KIND_PARAMETER_GRADIENT, read.index(),
               block.size_bytes);
      continue;
    }
    AddWrite(task, worker::v1::BLOCK_KIND_PARAMETERS, read.index(),
             block.size_bytes);
    if (model_.moment_count > 0) {
      const int64_t state_bytes = block.size_bytes * model_.moment_count;
      Fill(task.add_reads(), worker::v1::BLOCK_KIND_OPTIMIZER_STATE,
           read.index(), state_bytes);
      AddWrite(task, worker::v1::BLOCK_KIND_OPTIMIZER_STATE, read.index(),
               state_bytes);
    }
    if (block.layers.back() >= task.last_layer()) {
      Fill(task.add_reads(), worker::v1::BLOCK_KIND_PARAMETER_GRADIENT,
           read.index(), block.size_bytes);
    }
  }
}

}  // namespace hydra
