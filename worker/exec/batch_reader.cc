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
#include "worker/data/token_file.h"
#include "worker/data/window_reader.h"
#include "worker/model/micro_batch.h"

namespace hydra {
namespace {

using hydra::v1::JobSpec;
using hydra::v1::TrainSpec;
using worker::v1::JobContext;
using worker::v1::Split;
using worker::v1::Task;

// Which id, and where.
std::string Describe(const TokenFile& file, int64_t window, int64_t position,
                     int64_t id, int64_t vocab_size) {
  return absl::StrCat(file.path(), ": position ", position, " of window ",
                      window, " has the token id ", id,
                      "; the model's vocab_size is ", vocab_size);
}

// Refuses a file whose header says that it is for a larger vocabulary.
absl::Status CheckHeader(const TokenFile& file, int64_t context,
                         int64_t vocab_size) {
  if (file.max_token_id() < vocab_size) return absl::OkStatus();
  const auto bad = file.FindIdFrom(vocab_size);
  if (!bad.ok()) return bad.status();
  // Then the header is wrong, and the ids are right.
  if (!bad->has_value()) return absl::OkStatus();
  const int64_t index = (*bad)->index;
  int64_t window = index / context;
  int64_t position = index % context;
  if (file.row_count() > 0) {
    const auto row = file.RowWith(index);
    if (!row.ok()) return row.status();
    window = row->row;
    position = index - row->begin;
  }
  return absl::InvalidArgumentError(
      Describe(file, window, position, (*bad)->id, vocab_size));
}

// A damaged file may hold what its header denies. An id that is none of the
// model's would lead the layers to memory that is not theirs.
absl::Status CheckIds(const TokenFile& file, const HostBatch& batch,
                      absl::Span<const int64_t> windows, int64_t vocab_size) {
  const auto bad = std::find_if(batch.tokens.begin(), batch.tokens.end(),
                                [&](int64_t id) { return id >= vocab_size; });
  if (bad == batch.tokens.end()) return absl::OkStatus();
  const int64_t index = bad - batch.tokens.begin();
  const int64_t row_tokens = batch.context + 1;
  return absl::DataLossError(Describe(file, windows[index / row_tokens],
                                      index % row_tokens, *bad, vocab_size));
}

absl::StatusOr<HostBatch> ReadBatch(const TokenFile& file, int64_t context,
                                    absl::Span<const int64_t> windows,
                                    int64_t vocab_size) {
  absl::StatusOr<TokenWindows> read = ReadWindows(file, context, windows);
  if (!read.ok()) return read.status();
  HostBatch batch;
  batch.sequences = static_cast<int64_t>(windows.size());
  batch.context = context;
  batch.tokens = std::move(read->tokens);
  batch.targets = std::move(read->targets);
  batch.untrained_targets = read->untrained_targets;
  absl::Status checked = CheckIds(file, batch, windows, vocab_size);
  if (!checked.ok()) return checked;
  return batch;
}

// A split's file, and how many windows the job has of it. Opened for each task:
// that is a few microseconds, and thousands of jobs would
// have more files than a process may hold.
struct OpenSplit {
  TokenFile file;
  int64_t window_count = 0;
};

absl::StatusOr<OpenSplit> OpenFile(Split split, const JobContext& job,
                                   int64_t vocab_size) {
  for (const worker::v1::PreparedSplit& prepared : job.splits()) {
    if (prepared.split() != split || prepared.token_file().empty()) continue;
    auto file = TokenFile::Open(prepared.token_file());
    if (!file.ok()) return file.status();
    const int64_t context = job.spec().train().context_length();
    absl::Status checked = CheckHeader(*file, context, vocab_size);
    if (!checked.ok()) return checked;
    const int64_t windows = WindowsIn(*file, context);
    return OpenSplit{*std::move(file), windows};
  }
  return absl::FailedPreconditionError(absl::StrCat(
      SplitName(split), " of job ", job.job_id(), " is not prepared"));
}

}  // namespace

absl::StatusOr<std::vector<HostBatch>> BatchReader::Read(const Task& task,
                                                         const JobContext& job,
                                                         int64_t vocab_size) {
  return task.kind() == worker::v1::TASK_KIND_EVALUATE
             ? ReadEvaluation(task, job, vocab_size)
             : ReadTraining(task, job, vocab_size);
}

absl::StatusOr<std::vector<HostBatch>> BatchReader::ReadTraining(
    const Task& task, const JobContext& job, int64_t vocab_size) {
  const TrainSpec& train = job.spec().train();
  const auto split = OpenFile(worker::v1::SPLIT_TRAIN, job, vocab_size);
  if (!split.ok()) return split.status();
  const int64_t context = train.context_length();
  auto windows = WindowsOfStep(task.step(), split->window_count, job.spec());
  if (!windows.ok()) return windows.status();
  const absl::StatusOr<double> scale =
      GradientScaleOf(task, job, split->file, *windows);
  if (!scale.ok()) return scale.status();

  std::vector<HostBatch> batches;
  for (int i = task.first_micro_batch(); i < task.last_micro_batch(); ++i) {
    auto batch = ReadBatch(
        split->file, context,
        MicroBatchWindows(*windows, i, train.gradient_accumulation_steps()),
        vocab_size);
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
    const Task& task, const JobContext& job, int64_t vocab_size) {
  const auto split = OpenFile(task.split(), job, vocab_size);
  if (!split.ok()) return split.status();
  const int64_t context = job.spec().train().context_length();
  const int64_t window_count = split->window_count;
  const int64_t batch_size =
      job.spec().evaluation().per_device_eval_batch_size();
  const int64_t batch_count = EvaluationBatchCount(window_count, batch_size);
  if (task.last_micro_batch() > batch_count) {
    return absl::OutOfRangeError(
        absl::StrCat("evaluation batch ", task.last_micro_batch() - 1, " of ",
                     batch_count, " in ", SplitName(task.split())));
  }

  std::vector<HostBatch> batches;
  for (int i = task.first_micro_batch(); i < task.last_micro_batch(); ++i) {
    const WindowRange range = EvaluationBatch(window_count, batch_size, i);
    std::vector<int64_t> windows(range.count);
    std::iota(windows.begin(), windows.end(), range.first);
    auto batch = ReadBatch(split->file, context, windows, vocab_size);
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
    const Task& task, const JobContext& job, const TokenFile& file,
    absl::Span<const int64_t> windows) {
  const TrainSpec& train = job.spec().train();
  const bool makes_loss = task.kind() == worker::v1::TASK_KIND_TURN;
  if (!file.has_marks() || !makes_loss) return GradientScale(train);
  const int64_t context = train.context_length();
  int64_t trained = 0;
  for (const int64_t& window : windows) {
    const absl::StatusOr<TokenWindows> read =
        ReadWindows(file, context, absl::MakeConstSpan(&window, 1));
    if (!read.ok()) return read.status();
    trained += context - read->untrained_targets;
  }
  // Without any, all gradients are zero, whatever they are multiplied by.
  return 1.0 / static_cast<double>(std::max<int64_t>(trained, 1));
}

double GradientScale(const TrainSpec& train) {
  return 1.0 /
         static_cast<double>(SequencesPerStep(train) * train.context_length());
}

}  // namespace hydra
