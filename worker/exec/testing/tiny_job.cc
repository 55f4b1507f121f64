#include "worker/exec/testing/tiny_job.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>
#include <numeric>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/data/batch_plan.h"
#include "common/jobfile/validate.h"
#include "common/model/loss_scale.h"
#include "common/safetensors/testing/tensor_files.h"
#include "common/tokenizer/testing/bert_tokenizer.h"
#include "glog/logging.h"
#include "worker/exec/host_task.h"

namespace hydra {
namespace {

using worker::v1::BlockVersion;
using worker::v1::Task;
using worker::v1::TaskReport;

constexpr int64_t kPoolBytes = int64_t{48} << 20;
constexpr int kTrainTokens = 1500;
constexpr int kValidationTokens = 400;
constexpr int kExamples = 60;
constexpr int kValidationExamples = 16;

std::string ConfigOf(const TinyJob::Options& options) {
  if (!options.config_json.empty()) return options.config_json;
  return absl::StrCat(
      R"({"model_type":"gpt2","activation_function":"gelu_new",)",
      R"("n_positions":40,"n_head":4,"vocab_size":)", options.vocabulary,
      R"(,"n_embd":)", options.width, R"(,"n_layer":)", options.layers,
      R"(,"tie_word_embeddings":)", options.tied ? "true" : "false", "}");
}

void WriteTokens(const std::string& path, int count, int64_t vocabulary,
                 int seed) {
  std::mt19937 random(seed);
  std::vector<uint16_t> tokens(count);
  // Half of the vocabulary never occurs, which is soon learned.
  for (uint16_t& token : tokens) token = random() % (vocabulary / 2);
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(tokens.data()),
             static_cast<std::streamsize>(tokens.size() * sizeof(uint16_t)));
}

void WriteExamples(const std::string& path, int count,
                   const ExampleInput& input, int seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> number;
  std::vector<float> numbers(count * input.element_count());
  for (float& one : numbers) one = number(random);
  std::vector<int64_t> labels(count);
  for (int64_t& label : labels) {
    label = static_cast<int64_t>(random()) % input.class_count;
  }
  std::vector<int64_t> shape = input.shape;
  shape.insert(shape.begin(), count);
  safetensors::WriteTensors(
      path, {safetensors::TensorOf(input.name, safetensors::Dtype::kF32, shape,
                                   numbers),
             safetensors::TensorOf("labels", safetensors::Dtype::kI64, {count},
                                   labels)});
}

// So many of a tokenizer's words, in which half of them never occur.
std::string RandomWords(int64_t count, int64_t vocabulary,
                        std::mt19937& random) {
  std::string text;
  for (int64_t i = 0; i < count; ++i) {
    absl::StrAppend(&text, "w", random() % (vocabulary / 2), " ");
  }
  return text;
}

// Rows of one word to a few more than there is room for.
void WriteLabeledRows(const std::string& path, int count, int context,
                      const ModelTable& table, int seed) {
  std::mt19937 random(seed);
  std::ofstream file(path);
  for (int i = 0; i < count; ++i) {
    file << "{\"text\": \""
         << RandomWords(1 + random() % context, table.vocabulary_size, random)
         << "\", \"label\": " << random() % table.classes.count << "}\n";
  }
}

}  // namespace

HostPool::HostPool(int64_t bytes) : memory_(bytes + 64, std::byte{0xff}) {
  const auto begin = reinterpret_cast<uintptr_t>(memory_.data());
  base_ = static_cast<int64_t>((64 - begin % 64) % 64);
}

int64_t HostPool::Allocate(int64_t bytes) {
  const int64_t offset = used_;
  used_ += (bytes + 63) / 64 * 64;
  CHECK_LE(used_ + 64, static_cast<int64_t>(memory_.size()));
  return offset;
}

absl::Span<std::byte> HostPool::Range(int64_t offset, int64_t bytes) {
  CHECK_LE(offset + bytes, used_);
  return absl::MakeSpan(memory_.data() + base_ + offset, bytes);
}

HostRange HostPool::AsHostRange() {
  return [this](int64_t offset, int64_t bytes) { return Range(offset, bytes); };
}

TinyJob::TinyJob(const Options& options, const std::string& directory)
    : options_(options), directory_(directory), pool_(kPoolBytes) {
  context_.set_job_id(1);
  context_.set_model_config_json(ConfigOf(options));
  context_.set_token_cache_dir(absl::StrCat(directory, "/tokens"));
  context_.set_prefetch_bytes(options.prefetch_bytes);
  context_.set_update_place(options.update_place);

  hydra::v1::JobSpec& spec = *context_.mutable_spec();
  spec.mutable_model()->set_path(options.model_path);
  spec.mutable_model()->set_init(options.model_path.empty()
                                     ? hydra::v1::INITIALIZATION_RANDOM
                                     : hydra::v1::INITIALIZATION_PRETRAINED);
  spec.mutable_data()->set_format(hydra::v1::DATA_FORMAT_TOKENS_U16);
  spec.mutable_data()->add_train_files(directory + "/train.bin");
  spec.mutable_data()->add_validation_files(directory + "/validation.bin");
  WriteTokens(directory + "/train.bin", kTrainTokens, options.vocabulary, 1);
  WriteTokens(directory + "/validation.bin", kValidationTokens,
              options.vocabulary, 2);

  hydra::v1::TrainSpec& train = *spec.mutable_train();
  train.set_per_device_train_batch_size(options.sequences);
  train.set_gradient_accumulation_steps(options.micro_batches);
  if (options.micro_batches_per_round > 0) {
    train.set_micro_batches_per_round(options.micro_batches_per_round);
  }
  train.set_context_length(options.context);
  train.set_optim(options.optimizer);
  train.set_learning_rate(0.01);
  train.set_weight_decay(0.01);
  train.set_momentum(options.momentum);
  train.set_no_decay_biases_and_norms(options.no_decay_biases_and_norms);
  train.set_max_grad_norm(options.max_grad_norm);
  train.set_label_smoothing_factor(options.label_smoothing);
  train.set_bf16(options.bf16);
  if (options.fp16) {
    train.set_fp16(true);
    train.set_loss_scale(options.loss_scale);
    train.set_loss_scale_growth_interval(options.loss_scale_growth_interval);
  }
  train.set_seed(7);
  train.set_dropout(options.dropout);
  spec.mutable_evaluation()->set_per_device_eval_batch_size(
      options.evaluation_sequences);
  for (const std::string& pattern : options.frozen) {
    spec.mutable_model()->add_frozen(pattern);
  }
  spec.mutable_model()->set_frozen_dtype(options.frozen_dtype);
  spec.mutable_model()->set_trained_dtype(options.trained_dtype);
  if (options.lora.has_value()) *spec.mutable_lora() = *options.lora;
  FillDefaults(&spec);
  shape_ = MakeJobShape(
      spec, options.architectures.families
                ->Describe(context_.model_config_json(), OverridesOf(spec))
                .value());
  SetCuts({});
  if (table().examples.has_value()) UseExamples(*table().examples);
  if (table().takes_whole_sequences()) UseTexts();
}

void TinyJob::UseExamples(const ExampleInput& input) {
  hydra::v1::DataSpec& data = *context_.mutable_spec()->mutable_data();
  data.set_format(hydra::v1::DATA_FORMAT_TENSORS);
  WriteExamples(data.train_files(0), kExamples, input, 1);
  WriteExamples(data.validation_files(0), kValidationExamples, input, 2);
}

void TinyJob::UseTexts() {
  hydra::v1::JobSpec& spec = *context_.mutable_spec();
  const int64_t vocabulary = table().vocabulary_size;
  const std::string tokenizer = directory_ + "/tokenizer";
  std::filesystem::create_directories(tokenizer);
  std::ofstream(tokenizer + "/tokenizer.json") << BertTokenizerJson(vocabulary);
  spec.mutable_model()->set_tokenizer_path(tokenizer);
  hydra::v1::DataSpec& data = *spec.mutable_data();
  if (table().objective == Objective::kClass) {
    data.set_format(hydra::v1::DATA_FORMAT_LABELED);
    WriteLabeledRows(data.train_files(0), kExamples, options_.context, table(),
                     1);
    WriteLabeledRows(data.validation_files(0), kValidationExamples,
                     options_.context, table(), 2);
  } else {
    data.set_format(hydra::v1::DATA_FORMAT_TEXT);
    std::mt19937 random(1);
    std::ofstream(data.train_files(0))
        << RandomWords(kTrainTokens, vocabulary, random);
    std::ofstream(data.validation_files(0))
        << RandomWords(kValidationTokens, vocabulary, random);
  }
  FillDefaults(&spec);
}

int64_t TinyJob::WindowsOfSplit(worker::v1::Split split) const {
  if (table().examples.has_value()) return kValidationExamples;
  for (const worker::v1::PreparedSplit& prepared : context_.splits()) {
    if (table().takes_whole_sequences() && prepared.split() == split) {
      return prepared.row_count();
    }
  }
  return WindowCount(kValidationTokens, options_.context);
}

void TinyJob::SetCuts(const std::vector<int>& cuts) {
  shape_.shards = ShardsOf(cuts, table().layer_count());
}

void TinyJob::CutEverywhere() {
  std::vector<int> cuts(table().layer_count() - 1);
  std::iota(cuts.begin(), cuts.end(), 1);
  SetCuts(cuts);
}

void TinyJob::Prepare() {
  ChainTask task;
  task.kind = worker::v1::TASK_KIND_PREPARE;
  const TaskReport report =
      RunHostTask(NewTask(task), context_, log_, control_.emplace(),
                  *options_.architectures.families);
  CHECK(report.has_prepare()) << report.ShortDebugString();
  *context_.mutable_splits() = report.prepare().splits();
}

void TinyJob::Init(TaskRunner& runner) {
  for (int shard = 0; shard < shard_count(); ++shard) {
    RunToCommit(runner,
                WithVersions(TaskAt(shape_, {},
                                    {ChainPosition::Phase::kInit, 0, shard})));
  }
  const int blocks = static_cast<int>(table().parameter_blocks.size());
  for (int block = 0; block < blocks; ++block) {
    // INIT makes what does not begin as zero.
    if (shape_.StateBytes(block) == 0 ||
        table().parameter_blocks[block].has_master()) {
      continue;
    }
    BlockVersion& state = committed_[StateKey(block)];
    SetBlockKey(StateKey(block), state);
    state.set_version(++last_version_);
    state.set_size_bytes(shape_.StateBytes(block));
    state.set_zero(true);
  }
}

double TinyJob::Step(TaskRunner& runner) {
  return MeanLoss(StepReports(runner));
}

double TinyJob::MeanLoss(const std::vector<TaskReport>& reports) {
  double sum = 0;
  int64_t tokens = 0;
  for (const TaskReport& report : reports) {
    for (double loss : report.pass().batch_loss_sums()) sum += loss;
    tokens += report.pass().loss_tokens();
  }
  return sum / static_cast<double>(tokens);
}

std::vector<TaskReport> TinyJob::StepReports(TaskRunner& runner) {
  std::vector<TaskReport> reports;
  for (int i = 0; i < TaskCount(); ++i) {
    reports.push_back(RunToCommit(runner, StepTask(i)));
  }
  EndStep();
  return reports;
}

std::vector<TaskReport> TinyJob::TryStep(TaskRunner& runner) {
  std::vector<TaskReport> reports;
  for (int i = 0; i < TaskCount(); ++i) {
    const Task task = StepTask(i);
    reports.push_back(Run(runner, task));
    if (reports.back().has_error()) {
      CHECK_EQ(reports.back().error().code(),
               static_cast<int>(absl::StatusCode::kResourceExhausted))
          << reports.back().error().ShortDebugString();
      return reports;
    }
    NoteNorm(reports.back());
    Commit(task);
  }
  EndStep();
  return reports;
}

double TinyJob::OverlappedStep(TaskRunner& runner) {
  std::vector<TaskReport> reports;
  std::optional<Task> next = StepTask(0);
  for (int i = 0; i < TaskCount(); ++i) {
    const Task task = *std::move(next);
    // Promised, as the next one's task is made of what this one will make.
    Commit(task);
    next.reset();
    if (i + 1 < TaskCount()) next = StepTask(i + 1);
    TaskRunner::Computed computed = runner.Compute(
        task, context_, log_, control_.emplace(), [&](int index) {
          std::optional<TaskRunner::NextTask> found;
          if (next && index == 0) {
            found = {*next, std::make_shared<worker::v1::JobContext>(context_)};
          }
          return found;
        });
    const TaskReport& report = computed.report;
    CHECK(!report.has_error()) << report.error().ShortDebugString();
    reports.push_back(report);
    if (computed.finish) {
      unfinished_.push_back(std::move(computed));
    } else {
      NoteNorm(report);
    }
  }
  EndStep();
  return MeanLoss(reports);
}

void TinyJob::Finish() {
  for (TaskRunner::Computed& computed : unfinished_) {
    computed.finish(computed.report);
    NoteNorm(computed.report);
  }
  unfinished_.clear();
}

double TinyJob::loss_scale() const {
  return shape_.scales_loss ? ScaleOf(loss_scale_, context_.spec().train()) : 1;
}

void TinyJob::NoteNorm(const TaskReport& report) {
  if (report.pass().has_grad_norm()) grad_norm_ = report.pass().grad_norm();
}

void TinyJob::EndStep() {
  ++step_;
  if (!shape_.scales_loss) return;
  // Its UPDATEs must be done.
  Finish();
  CHECK(grad_norm_.has_value());
  loss_scale_ = AfterStep(loss_scale_, !std::isfinite(*grad_norm_),
                          context_.spec().train());
  grad_norm_.reset();
}

double TinyJob::Evaluate(TaskRunner& runner, worker::v1::Split split) {
  const int batches = static_cast<int>(EvaluationBatchCount(
      WindowsOfSplit(split), options_.evaluation_sequences));
  ChainPlan plan;
  plan.validation_batches = batches;
  plan.test_batches = batches;
  double loss = 0;
  int64_t tokens = 0;
  const ChainPosition begin{ChainPosition::Phase::kEvaluate, step_, 0, split};
  for (ChainPosition at = begin; !at.done() && at.split == split;
       at = Next(shape_, plan, at)) {
    const TaskReport report =
        RunToCommit(runner, WithVersions(TaskAt(shape_, plan, at)));
    loss += report.pass().loss_sum();
    tokens += report.pass().loss_tokens();
  }
  return loss / static_cast<double>(tokens);
}

TaskReport TinyJob::Pilot(TaskRunner& runner) {
  ChainTask task;
  task.kind = worker::v1::TASK_KIND_PILOT;
  task.layers = {0, table().layer_count()};
  return Run(runner, NewTask(task));
}

Task TinyJob::StepTask(int index) {
  Task task = WithVersions(
      TaskAt(shape_, {}, {ChainPosition::Phase::kTrain, step_, index}));
  if (shape_.scales_loss && (task.kind() == worker::v1::TASK_KIND_TURN ||
                             task.kind() == worker::v1::TASK_KIND_UPDATE)) {
    task.set_loss_scale(loss_scale());
    task.set_skipped_steps(loss_scale_.skipped_steps());
  }
  return task;
}

Task TinyJob::EvaluateTask(worker::v1::Split split, int shard, int first,
                           int last) {
  ChainTask task = PassTask(shape_, worker::v1::TASK_KIND_EVALUATE,
                            shape_.shards[shard], last - first);
  task.shard = shard;
  task.split = split;
  task.first_micro_batch = first;
  task.last_micro_batch = last;
  return WithVersions(task);
}

TaskReport TinyJob::Run(TaskRunner& runner, const Task& task) {
  return runner.Run(task, context_, log_, control_.emplace());
}

TaskReport TinyJob::RunToCommit(TaskRunner& runner, const Task& task) {
  TaskReport report = Run(runner, task);
  CHECK(!report.has_error())
      << worker::v1::TaskKind_Name(task.kind()) << " of layers ["
      << task.first_layer() << ", " << task.last_layer()
      << "): " << report.error().ShortDebugString();
  NoteNorm(report);
  Commit(task);
  return report;
}

void TinyJob::Commit(const Task& task) {
  for (const BlockVersion& made : task.writes()) {
    committed_[BlockKeyOf(made)] = made;
  }
}

absl::Span<float> TinyJob::Slot(worker::v1::BlockKind kind, int block) {
  const BlockVersion& version = committed_.at({kind, block, 0});
  CHECK(!version.zero());
  const absl::Span<std::byte> bytes =
      pool_.Range(version.offset_bytes(), version.size_bytes());
  return absl::MakeSpan(reinterpret_cast<float*>(bytes.data()),
                        bytes.size() / sizeof(float));
}

std::vector<BlockVersion> TinyJob::Committed() const {
  std::vector<BlockVersion> versions;
  for (const auto& [key, version] : committed_) versions.push_back(version);
  return versions;
}

std::vector<std::byte> TinyJob::BytesOf(const BlockVersion& version) {
  const absl::Span<std::byte> slot =
      pool_.Range(version.offset_bytes(), version.size_bytes());
  return {slot.begin(), slot.end()};
}

std::vector<std::byte> TinyJob::State() {
  std::vector<std::byte> bytes;
  for (const auto& [key, version] : committed_) {
    if (version.zero() || !IsTrained(key)) continue;
    const auto slot = pool_.Range(version.offset_bytes(), version.size_bytes());
    bytes.insert(bytes.end(), slot.begin(), slot.end());
  }
  return bytes;
}

Task TinyJob::NewTask(const ChainTask& task) {
  Task message = ToMessage(task);
  message.set_task_id(++last_task_);
  message.set_job_id(context_.job_id());
  return message;
}

Task TinyJob::WithVersions(const ChainTask& task) {
  Task message = NewTask(task);
  for (const BlockKey& key : task.reads) {
    const auto committed = committed_.find(key);
    CHECK(committed != committed_.end());
    *message.add_reads() = committed->second;
  }
  for (const BlockWrite& write : task.writes) {
    BlockVersion& made = *message.add_writes();
    SetBlockKey(write.key, made);
    made.set_version(++last_version_);
    made.set_offset_bytes(pool_.Allocate(write.size_bytes));
    made.set_size_bytes(write.size_bytes);
  }
  return message;
}

}  // namespace hydra
