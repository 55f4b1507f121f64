#include "worker/exec/testing/tiny_job.h"

#include <algorithm>
#include <fstream>
#include <random>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/data/batch_plan.h"
#include "common/model/gpt2_table.h"
#include "common/model/optimizer.h"
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

Gpt2Config ConfigOf(const TinyJob::Options& options) {
  Gpt2Config config;
  config.vocab_size = options.vocabulary;
  config.n_positions = 40;
  config.n_embd = options.width;
  config.n_layer = options.layers;
  config.n_head = 4;
  config.n_inner = 4 * options.width;
  config.tie_word_embeddings = options.tied;
  return config;
}

std::string JsonOf(const Gpt2Config& config) {
  return absl::StrCat(
      R"({"model_type":"gpt2","activation_function":"gelu_new",)",
      R"("vocab_size":)", config.vocab_size, R"(,"n_positions":)",
      config.n_positions, R"(,"n_embd":)", config.n_embd, R"(,"n_layer":)",
      config.n_layer, R"(,"n_head":)", config.n_head,
      R"(,"tie_word_embeddings":)",
      config.tie_word_embeddings ? "true" : "false", "}");
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
    : options_(options),
      directory_(directory),
      table_(BuildGpt2Table(ConfigOf(options))),
      pool_(kPoolBytes) {
  context_.set_job_id(1);
  context_.set_model_config_json(JsonOf(ConfigOf(options)));
  context_.set_token_cache_dir(absl::StrCat(directory, "/tokens"));
  context_.set_prefetch_bytes(options.prefetch_bytes);

  hydra::v1::JobSpec& spec = *context_.mutable_spec();
  spec.mutable_model()->set_init(hydra::v1::INITIALIZATION_RANDOM);
  spec.mutable_data()->set_format(hydra::v1::DATA_FORMAT_TOKENS_U16);
  spec.mutable_data()->add_train_files(directory + "/train.bin");
  spec.mutable_data()->add_validation_files(directory + "/validation.bin");
  WriteTokens(directory + "/train.bin", kTrainTokens, options.vocabulary, 1);
  WriteTokens(directory + "/validation.bin", kValidationTokens,
              options.vocabulary, 2);

  hydra::v1::TrainSpec& train = *spec.mutable_train();
  train.set_per_device_train_batch_size(options.sequences);
  train.set_gradient_accumulation_steps(options.micro_batches);
  train.set_context_length(options.context);
  train.set_optim(options.optimizer);
  train.set_learning_rate(0.01);
  train.set_weight_decay(0.01);
  train.set_momentum(options.momentum);
  train.set_seed(7);
  train.set_dropout(options.dropout);
  spec.mutable_evaluation()->set_per_device_eval_batch_size(
      options.evaluation_sequences);
}

void TinyJob::CutEverywhere() {
  cuts_.clear();
  for (int i = 1; i < table_.layer_count(); ++i) cuts_.push_back(i);
}

void TinyJob::Prepare() {
  const TaskReport report =
      RunHostTask(NewTask(worker::v1::TASK_KIND_PREPARE, 0), context_, log_,
                  control_.emplace());
  CHECK(report.has_prepare()) << report.ShortDebugString();
  *context_.mutable_splits() = report.prepare().splits();
}

void TinyJob::Init(TaskRunner& runner) {
  const int64_t factor = OptimizerStateFactor(context_.spec().train());
  for (int shard = 0; shard < shard_count(); ++shard) {
    Task task = NewTask(worker::v1::TASK_KIND_INIT, shard);
    for (int block : BlocksOf(task)) {
      const ParameterBlock& parameters = table_.parameter_blocks[block];
      if (parameters.owner() < task.first_layer()) continue;
      Write(task, worker::v1::BLOCK_KIND_PARAMETERS, block,
            parameters.size_bytes);
      BlockVersion state;
      state.set_version(++last_version_);
      state.set_kind(worker::v1::BLOCK_KIND_OPTIMIZER_STATE);
      state.set_index(block);
      state.set_size_bytes(parameters.size_bytes * factor);
      state.set_zero(true);
      if (factor > 0) committed_[{state.kind(), block, 0}] = state;
    }
    RunToCommit(runner, task);
  }
}

double TinyJob::Step(TaskRunner& runner) {
  const std::vector<TaskReport> reports = StepReports(runner);
  const worker::v1::PassResult& turn = reports[shard_count() - 1].pass();
  return turn.loss_sum() / static_cast<double>(turn.loss_tokens());
}

std::vector<TaskReport> TinyJob::StepReports(TaskRunner& runner) {
  std::vector<TaskReport> reports;
  for (int i = 0; i < TaskCount(); ++i) {
    reports.push_back(RunToCommit(runner, StepTask(i)));
  }
  ++step_;
  return reports;
}

double TinyJob::Evaluate(TaskRunner& runner, worker::v1::Split split) {
  const int batches = static_cast<int>(
      EvaluationBatchCount(WindowCount(kValidationTokens, options_.context),
                           options_.evaluation_sequences));
  double loss = 0;
  int64_t tokens = 0;
  for (int first = 0; first < batches; first += 4) {
    for (int shard = 0; shard < shard_count(); ++shard) {
      const TaskReport report = RunToCommit(
          runner,
          EvaluateTask(split, shard, first, std::min(first + 4, batches)));
      loss += report.pass().loss_sum();
      tokens += report.pass().loss_tokens();
    }
  }
  return loss / static_cast<double>(tokens);
}

TaskReport TinyJob::Pilot(TaskRunner& runner) {
  return Run(runner, NewTask(worker::v1::TASK_KIND_PILOT, 0));
}

Task TinyJob::StepTask(int index) {
  const int last_shard = shard_count() - 1;
  const auto boundary = [this](int layer) {
    return table_.BoundaryBytes(layer, options_.sequences, options_.context);
  };
  const bool forward = index < last_shard;
  Task task = NewTask(forward               ? worker::v1::TASK_KIND_FORWARD
                      : index == last_shard ? worker::v1::TASK_KIND_TURN
                                            : worker::v1::TASK_KIND_BACKWARD,
                      index <= last_shard ? index : 2 * last_shard - index);
  task.set_step(step_);
  task.set_last_micro_batch(options_.micro_batches);
  ReadParameters(task);
  const int first = task.first_layer();
  const int last = task.last_layer();
  for (int i = 0; i < options_.micro_batches; ++i) {
    if (first > 0) Read(task, worker::v1::BLOCK_KIND_ACTIVATION, first, i);
    if (forward) {
      Write(task, worker::v1::BLOCK_KIND_ACTIVATION, last, boundary(last), i);
      continue;
    }
    if (index > last_shard) {
      Read(task, worker::v1::BLOCK_KIND_ACTIVATION_GRADIENT, last, i);
    }
    if (first > 0) {
      Write(task, worker::v1::BLOCK_KIND_ACTIVATION_GRADIENT, first,
            boundary(first), i);
    }
  }
  if (!forward) AddUpdates(task);
  return task;
}

Task TinyJob::EvaluateTask(worker::v1::Split split, int shard, int first,
                           int last) {
  Task task = NewTask(worker::v1::TASK_KIND_EVALUATE, shard);
  task.set_split(split);
  task.set_first_micro_batch(first);
  task.set_last_micro_batch(last);
  ReadParameters(task);
  for (int i = 0; i < last - first; ++i) {
    if (shard > 0) {
      Read(task, worker::v1::BLOCK_KIND_ACTIVATION, task.first_layer(), i);
    }
    if (shard + 1 < shard_count()) {
      Write(
          task, worker::v1::BLOCK_KIND_ACTIVATION, task.last_layer(),
          table_.BoundaryBytes(task.last_layer(), options_.evaluation_sequences,
                               options_.context),
          i);
    }
  }
  return task;
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
  Commit(task);
  return report;
}

void TinyJob::Commit(const Task& task) {
  for (const BlockVersion& made : task.writes()) {
    committed_[{made.kind(), made.index(), made.micro_batch()}] = made;
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

std::vector<std::byte> TinyJob::State() {
  std::vector<std::byte> bytes;
  for (const auto& [key, version] : committed_) {
    if (version.zero() ||
        (version.kind() != worker::v1::BLOCK_KIND_PARAMETERS &&
         version.kind() != worker::v1::BLOCK_KIND_OPTIMIZER_STATE)) {
      continue;
    }
    const auto slot = pool_.Range(version.offset_bytes(), version.size_bytes());
    bytes.insert(bytes.end(), slot.begin(), slot.end());
  }
  return bytes;
}

Task TinyJob::NewTask(worker::v1::TaskKind kind, int shard) {
  Task task;
  task.set_task_id(++last_task_);
  task.set_job_id(context_.job_id());
  task.set_kind(kind);
  task.set_shard(shard);
  task.set_first_layer(shard == 0 ? 0 : cuts_[shard - 1]);
  task.set_last_layer(shard + 1 == shard_count() ? table_.layer_count()
                                                 : cuts_[shard]);
  return task;
}

void TinyJob::Read(Task& task, worker::v1::BlockKind kind, int index,
                   int micro_batch) {
  const auto committed = committed_.find({kind, index, micro_batch});
  CHECK(committed != committed_.end());
  *task.add_reads() = committed->second;
}

void TinyJob::Write(Task& task, worker::v1::BlockKind kind, int index,
                    int64_t bytes, int micro_batch) {
  BlockVersion* version = task.add_writes();
  version->set_kind(kind);
  version->set_index(index);
  version->set_micro_batch(micro_batch);
  version->set_version(++last_version_);
  version->set_offset_bytes(pool_.Allocate(bytes));
  version->set_size_bytes(bytes);
}

std::vector<int> TinyJob::BlocksOf(const Task& task) const {
  std::set<int> blocks;
  for (int i = task.first_layer(); i < task.last_layer(); ++i) {
    const std::vector<int>& used = table_.layers[i].parameter_blocks;
    blocks.insert(used.begin(), used.end());
  }
  return {blocks.begin(), blocks.end()};
}

void TinyJob::ReadParameters(Task& task) {
  for (int block : BlocksOf(task)) {
    Read(task, worker::v1::BLOCK_KIND_PARAMETERS, block);
  }
}

void TinyJob::AddUpdates(Task& task) {
  const int64_t factor = OptimizerStateFactor(context_.spec().train());
  for (int index : BlocksOf(task)) {
    const ParameterBlock& block = table_.parameter_blocks[index];
    if (block.owner() < task.first_layer()) {
      Write(task, worker::v1::BLOCK_KIND_PARAMETER_GRADIENT, index,
            block.size_bytes);
      continue;
    }
    Write(task, worker::v1::BLOCK_KIND_PARAMETERS, index, block.size_bytes);
    if (factor > 0) {
      Read(task, worker::v1::BLOCK_KIND_OPTIMIZER_STATE, index);
      Write(task, worker::v1::BLOCK_KIND_OPTIMIZER_STATE, index,
            block.size_bytes * factor);
    }
    if (block.layers.back() >= task.last_layer()) {
      Read(task, worker::v1::BLOCK_KIND_PARAMETER_GRADIENT, index);
    }
  }
}

}  // namespace hydra
