#include "worker/exec/batch_reader.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/chain/split.h"
#include "common/data/step_count.h"
#include "worker/model/micro_batch.h"

namespace hydra {
namespace {

using hydra::v1::JobSpec;
using hydra::v1::TrainSpec;
using worker::v1::JobContext;
using worker::v1::Split;
using worker::v1::Task;

using SplitPtr = std::unique_ptr<const SplitFile>;

// Opened for each task: thousands of jobs would have more files than a process
// may hold.
absl::StatusOr<SplitPtr> OpenFile(Split split, const JobContext& job,
                                  const ModelTable& table) {
  for (const worker::v1::PreparedSplit& prepared : job.splits()) {
    if (prepared.split() != split || prepared.token_file().empty()) continue;
    return SplitFile::Open(prepared.token_file(),
                           job.spec().train().context_length(), table);
  }
  return absl::FailedPreconditionError(absl::StrCat(
      SplitName(split), " of job ", job.job_id(), " is not prepared"));
}

// The model's first layer takes the batch itself.
bool TakesInputs(const Task& task) { return task.first_layer() == 0; }

// Evaluations hide the same tokens after every step, and in every job.
constexpr uint64_t kEvaluationSeed = 0;

// How tokens of the file are hidden; nothing: the model learns otherwise.
std::optional<TokenMasking> MaskingOf(const JobContext& job,
                                      const ModelTable& table,
                                      const SplitFile& file, uint64_t seed,
                                      int64_t epoch) {
  if (table.objective != Objective::kMaskedTokens) return std::nullopt;
  TokenMasking masking;
  if (job.spec().train().has_mlm_probability()) {
    masking.probability = job.spec().train().mlm_probability();
  }
  masking.mask_id = file.mask_id();
  masking.vocabulary_size = table.vocabulary_size;
  masking.seed = seed;
  masking.epoch = epoch;
  return masking;
}

// SplitFile::Read, with tokens hidden.
absl::StatusOr<HostBatch> ReadBatch(
    const SplitFile& file, absl::Span<const int64_t> windows, bool with_inputs,
    const std::optional<TokenMasking>& masking) {
  absl::StatusOr<HostBatch> batch = file.Read(windows, with_inputs);
  if (!batch.ok() || !masking.has_value()) return batch;
  batch->untrained_targets =
      MaskTokens(*masking, windows, batch->context,
                 absl::MakeSpan(batch->tokens), absl::MakeSpan(batch->targets));
  return batch;
}

}  // namespace

absl::StatusOr<std::vector<HostBatch>> BatchReader::Read(
    const Task& task, const JobContext& job, const ModelTable& table) {
  return task.kind() == worker::v1::TASK_KIND_EVALUATE
             ? ReadEvaluation(task, job, table)
             : ReadTraining(task, job, table);
}

absl::StatusOr<std::vector<HostBatch>> BatchReader::ReadTraining(
    const Task& task, const JobContext& job, const ModelTable& table) {
  const TrainSpec& train = job.spec().train();
  const auto split = OpenFile(worker::v1::SPLIT_TRAIN, job, table);
  if (!split.ok()) return split.status();
  auto windows =
      WindowsOfStep(task.step(), (*split)->window_count(), job.spec());
  if (!windows.ok()) return windows.status();
  const int64_t steps_per_epoch =
      StepsPerEpoch((*split)->window_count(), SequencesPerStep(train));
  const std::optional<TokenMasking> masking = MaskingOf(
      job, table, **split, train.seed(), task.step() / steps_per_epoch);
  const absl::StatusOr<double> scale =
      GradientScaleOf(task, job, **split, *windows, masking);
  if (!scale.ok()) return scale.status();

  std::vector<HostBatch> batches;
  for (int i = task.first_micro_batch(); i < task.last_micro_batch(); ++i) {
    auto batch = ReadBatch(
        **split,
        MicroBatchWindows(*windows, i, train.gradient_accumulation_steps()),
        TakesInputs(task), masking);
    if (!batch.ok()) return batch.status();
    batch->seed = DropoutSeed(train.seed(), task.step(), i);
    batch->gradient_scale = *scale;
    batch->training = true;
    batch->label_smoothing = train.label_smoothing_factor();
    batches.push_back(*std::move(batch));
  }
  return batches;
}

absl::StatusOr<std::vector<HostBatch>> BatchReader::ReadEvaluation(
    const Task& task, const JobContext& job, const ModelTable& table) {
  const auto split = OpenFile(task.split(), job, table);
  if (!split.ok()) return split.status();
  const int64_t window_count = (*split)->window_count();
  const int64_t batch_size =
      job.spec().evaluation().per_device_eval_batch_size();
  const int64_t batch_count = EvaluationBatchCount(window_count, batch_size);
  if (task.last_micro_batch() > batch_count) {
    return absl::OutOfRangeError(
        absl::StrCat("evaluation batch ", task.last_micro_batch() - 1, " of ",
                     batch_count, " in ", SplitName(task.split())));
  }

  const std::optional<TokenMasking> masking =
      MaskingOf(job, table, **split, kEvaluationSeed, /*epoch=*/0);
  std::vector<HostBatch> batches;
  for (int i = task.first_micro_batch(); i < task.last_micro_batch(); ++i) {
    const WindowRange range = EvaluationBatch(window_count, batch_size, i);
    std::vector<int64_t> windows(range.count);
    std::iota(windows.begin(), windows.end(), range.first);
    auto batch = ReadBatch(**split, windows, TakesInputs(task), masking);
    if (!batch.ok()) return batch.status();
    batches.push_back(*std::move(batch));
  }
  return batches;
}

absl::StatusOr<std::vector<int64_t>> BatchReader::WindowsOfStep(
    int64_t step, int64_t window_count, const JobSpec& spec) {
  const int64_t batch_size = SequencesPerStep(spec.train());
  const int64_t steps = StepsPerEpoch(window_count, batch_size);
  if (steps == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("the training split has ", window_count,
                     " windows, one step needs ", batch_size));
  }
  if (!spec.data().shuffle()) {
    std::vector<int64_t> windows(batch_size);
    std::iota(windows.begin(), windows.end(), step % steps * batch_size);
    return windows;
  }
  // Jobs are in different epochs, and an order is of one.
  const std::string key = absl::StrCat(window_count, " ", batch_size, " ",
                                       spec.train().seed(), " ", step / steps);
  if (auto order = orders_.Find(key)) return order->WindowsOfStep(step);
  auto made = BatchOrder::Create(window_count, batch_size, spec.train().seed());
  if (!made.ok()) return made.status();
  auto order = std::make_shared<BatchOrder>(*std::move(made));
  orders_.Put(key, order, window_count * sizeof(uint32_t));
  return order->WindowsOfStep(step);
}

absl::StatusOr<double> BatchReader::GradientScaleOf(
    const Task& task, const JobContext& job, const SplitFile& file,
    absl::Span<const int64_t> windows,
    const std::optional<TokenMasking>& masking) {
  const TrainSpec& train = job.spec().train();
  const bool makes_loss = task.kind() == worker::v1::TASK_KIND_TURN;
  if (!file.has_untrained_targets() || !makes_loss) return GradientScale(train);
  int64_t trained = 0;
  for (const int64_t& window : windows) {
    const absl::StatusOr<HostBatch> read =
        ReadBatch(file, absl::MakeConstSpan(&window, 1),
                  /*with_inputs=*/false, masking);
    if (!read.ok()) return read.status();
    trained += read->target_count();
  }
  // Without any, all gradients are zero, whatever they are multiplied by.
  return 1.0 / static_cast<double>(std::max<int64_t>(trained, 1));
}

double GradientScale(const TrainSpec& train) {
  return 1.0 /
         static_cast<double>(SequencesPerStep(train) * train.context_length());
}

}  // namespace hydra
