// Trains one model in plain LibTorch and prints what came out as JSON. What
// Hydra's results and speed are compared with.

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ATen/Parallel.h"
#include "ATen/core/Tensor.h"
#include "ATen/ops/empty.h"
#include "ATen/ops/from_blob.h"
#include "ATen/ops/stack.h"
#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/data/batch_plan.h"
#include "common/data/padded_context.h"
#include "common/file/scratch_directory.h"
#include "common/jobfile/validate.h"
#include "common/model/model_families.h"
#include "common/model/model_table.h"
#include "common/safetensors/reader.h"
#include "google/protobuf/util/json_util.h"
#include "hydra/worker/v1/worker.pb.h"
#include "nlohmann/json.hpp"
#include "tests/reference/reference_trainer.h"
#include "tests/reference/weight_files.h"
#include "worker/data/posix_file.h"
#include "worker/data/token_masking.h"
#include "worker/exec/host_batch.h"
#include "worker/exec/log_sink.h"
#include "worker/exec/prepare_pass.h"
#include "worker/exec/split_file.h"
#include "worker/model/compute_threads.h"
#include "worker/model/micro_batch.h"
#include "worker/model/product_order.h"
#include "worker/task/task_control.h"

namespace hydra {
namespace {

struct Options {
  std::string model_directory;
  bool random = false;
  std::string token_file;
  // In place of tokens, of a model that takes sequences whole: a job file's
  // data section, and the directory of its tokenizer.
  std::string data_json;
  std::string tokenizer_directory;
  // In place of tokens, of a model that is fed examples.
  std::string example_file;
  int64_t token_bytes = 4;
  // The file has rows of context + 1 ids, and each is a sequence of its own.
  bool rows = false;
  std::string train_json = "{}";
  // Empty: the model itself is trained.
  std::string lora_json;
  std::vector<std::string> frozen;
  bool has_masters = false;
  bool is_frozen_int8 = false;
  std::string save_path;
  int threads = 1;
};

absl::StatusOr<hydra::v1::TrainSpec> ParseTrainSpec(const std::string& json) {
  hydra::v1::TrainSpec train;
  const auto status = google::protobuf::util::JsonStringToMessage(json, &train);
  if (!status.ok()) return absl::InvalidArgumentError(status.ToString());
  if (train.per_device_train_batch_size() < 1 || train.max_steps() < 1) {
    return absl::InvalidArgumentError(
        "--train needs max_steps and per_device_train_batch_size");
  }
  if (!train.has_gradient_accumulation_steps()) {
    train.set_gradient_accumulation_steps(1);
  }
  if (!train.has_seed()) train.set_seed(42);
  return train;
}

// What the job says of its model's layers, and its dropout.
absl::StatusOr<ModelOverrides> OverridesFor(const Options& options,
                                            const hydra::v1::TrainSpec& train) {
  hydra::v1::JobSpec job;
  *job.mutable_train() = train;
  for (const std::string& pattern : options.frozen) {
    job.mutable_model()->add_frozen(pattern);
  }
  if (options.has_masters) {
    job.mutable_model()->set_trained_dtype(hydra::v1::PARAMETER_TYPE_BFLOAT16);
  }
  if (!options.lora_json.empty()) {
    const auto status = google::protobuf::util::JsonStringToMessage(
        options.lora_json, job.mutable_lora());
    if (!status.ok()) return absl::InvalidArgumentError(status.ToString());
  }
  FillDefaults(&job);
  return OverridesOf(job);
}

int64_t ContextOf(const hydra::v1::TrainSpec& train, const ModelTable& table) {
  return train.has_context_length() ? train.context_length()
                                    : table.longest_context;
}

absl::StatusOr<at::Tensor> ReadTokens(const Options& options) {
  std::ifstream file(options.token_file, std::ios::binary);
  if (!file) return absl::NotFoundError(options.token_file);
  std::string bytes(std::istreambuf_iterator<char>(file), {});
  const int64_t count = bytes.size() / options.token_bytes;
  const at::ScalarType type = options.token_bytes == 2   ? at::kUInt16
                              : options.token_bytes == 4 ? at::kInt
                                                         : at::kLong;
  return at::from_blob(bytes.data(), {count}, type).to(at::kLong).clone();
}

// All examples of a safetensors file, numbers as fp32 and labels as int64.
absl::StatusOr<ReferenceBatch> ReadExamples(const std::string& path,
                                            const ExampleInput& input) {
  const auto reader = safetensors::Reader::Open(path);
  if (!reader.ok()) return reader.status();
  const auto* const numbers = reader->table().Find(input.name);
  const auto* const labels = reader->table().Find("labels");
  if (numbers == nullptr || labels == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " lacks ", input.name, " or labels"));
  }
  const int64_t count = labels->elements;
  at::Tensor examples = at::empty({count, input.element_count()}, at::kFloat);
  absl::Status status;
  if (numbers->dtype == safetensors::Dtype::kU8) {
    const at::Tensor bytes = at::empty(examples.sizes(), at::kByte);
    status = reader->Read(input.name, 0, numbers->size_bytes,
                          bytes.mutable_data_ptr());
    examples = bytes.to(at::kFloat).div_(255);
  } else {
    status = reader->ReadAsFloat32(
        input.name, 0,
        absl::MakeSpan(examples.mutable_data_ptr<float>(), examples.numel()));
  }
  if (!status.ok()) return status;
  const at::Tensor classes = at::empty({count}, at::kLong);
  status =
      reader->Read("labels", 0, labels->size_bytes, classes.mutable_data_ptr());
  if (!status.ok()) return status;
  return ReferenceBatch(examples, classes);
}

class NoLog : public LogSink {
 public:
  void Log(Severity, std::string) override {}
};

// The training files' sequences, prepared as PREPARE does it, in a directory
// that goes when all is read.
absl::StatusOr<std::shared_ptr<const SplitFile>> PrepareSequences(
    const Options& options, const ModelTable& table,
    const hydra::v1::TrainSpec& train) {
  const ScratchDirectory cache;
  worker::v1::JobContext context;
  hydra::v1::JobSpec& job = *context.mutable_spec();
  const auto status = google::protobuf::util::JsonStringToMessage(
      options.data_json, job.mutable_data());
  if (!status.ok()) return absl::InvalidArgumentError(status.ToString());
  job.mutable_data()->clear_validation_files();
  job.mutable_data()->clear_test_files();
  *job.mutable_train() = train;
  job.mutable_train()->set_context_length(ContextOf(train, table));
  job.mutable_model()->set_tokenizer_path(options.tokenizer_directory);
  context.set_token_cache_dir(cache.path());
  NoLog log;
  TaskControl control;
  const auto prepared = RunPreparePass(context, table, log, control);
  if (!prepared.ok()) return prepared.status();
  auto file = SplitFile::Open(prepared->splits(0).token_file(),
                              job.train().context_length(), table);
  if (!file.ok()) return file.status();
  return std::shared_ptr<const SplitFile>(*std::move(file));
}

// What a model is trained on.
struct Data {
  // Of tokens: one long row, in which each window begins so many ids behind the
  // one before.
  ReferenceBatch all;
  int64_t context = 1;
  int64_t stride = 1;
  int64_t windows = 0;
  // Or sequences that are taken whole, and how tokens of them are hidden; the
  // epoch is the step's.
  std::shared_ptr<const SplitFile> sequences = nullptr;
  std::optional<TokenMasking> masking = std::nullopt;
};

absl::StatusOr<Data> ReadSequences(const Options& options,
                                   const ModelTable& table,
                                   const hydra::v1::TrainSpec& train) {
  auto sequences = PrepareSequences(options, table, train);
  if (!sequences.ok()) return sequences.status();
  Data data{ReferenceBatch(at::Tensor())};
  data.sequences = *std::move(sequences);
  data.windows = data.sequences->window_count();
  if (table.objective == Objective::kMaskedTokens) {
    TokenMasking& masking = data.masking.emplace();
    if (train.has_mlm_probability()) {
      masking.probability = train.mlm_probability();
    }
    masking.mask_id = data.sequences->mask_id();
    masking.vocabulary_size = table.vocabulary_size;
    masking.seed = train.seed();
  }
  return data;
}

absl::StatusOr<Data> ReadData(const Options& options, const ModelTable& table,
                              const hydra::v1::TrainSpec& train) {
  if (table.takes_whole_sequences()) {
    return ReadSequences(options, table, train);
  }
  if (table.examples.has_value()) {
    auto examples = ReadExamples(options.example_file, *table.examples);
    if (!examples.ok()) return examples.status();
    const int64_t count = examples->classes.numel();
    return Data{*std::move(examples), 1, 1, count};
  }
  auto tokens = ReadTokens(options);
  if (!tokens.ok()) return tokens.status();
  const int64_t context = ContextOf(train, table);
  const int64_t stride = options.rows ? context + 1 : context;
  const int64_t windows = options.rows ? tokens->numel() / stride
                                       : WindowCount(tokens->numel(), context);
  return Data{*tokens, context, stride, windows};
}

// Of rows that are padded to one length, without the padding that all have.
at::Tensor ToLongestRow(const at::Tensor& rows) {
  constexpr int64_t kPadding = ~0;
  const at::Tensor places = rows.ne(kPadding).nonzero();
  const int64_t row_tokens =
      places.size(0) == 0 ? 0 : places.select(1, 1).max().item<int64_t>() + 1;
  return rows.narrow(1, 0, PaddedContext(row_tokens, rows.size(1) - 1) + 1);
}

// Of numbers in so many rows; none: undefined.
at::Tensor RowsOf(std::vector<int64_t>& numbers, int64_t rows) {
  if (numbers.empty()) return {};
  const auto count = static_cast<int64_t>(numbers.size());
  return at::from_blob(numbers.data(), {rows, count / rows}, at::kLong).clone();
}

ReferenceBatch WholeBatchOf(const Data& data, absl::Span<const int64_t> windows,
                            int64_t epoch) {
  HostBatch read = data.sequences->Read(windows, /*with_inputs=*/true).value();
  MicroBatch batch;
  if (data.masking.has_value()) {
    TokenMasking masking = *data.masking;
    masking.epoch = epoch;
    batch.untrained_targets =
        MaskTokens(masking, windows, read.context, absl::MakeSpan(read.tokens),
                   absl::MakeSpan(read.targets));
  }
  batch.tokens = RowsOf(read.tokens, read.sequences);
  batch.targets = RowsOf(read.targets, read.sequences);
  batch.lengths = RowsOf(read.lengths, 1).view({-1});
  batch.token_types = RowsOf(read.token_types, read.sequences);
  return ReferenceBatch(std::move(batch));
}

ReferenceBatch BatchOf(const Data& data, absl::Span<const int64_t> windows,
                       int64_t epoch) {
  if (data.sequences != nullptr) return WholeBatchOf(data, windows, epoch);
  std::vector<at::Tensor> rows, classes;
  for (int64_t window : windows) {
    if (data.all.examples.defined()) {
      rows.push_back(data.all.examples[window]);
      classes.push_back(data.all.classes[window]);
    } else {
      rows.push_back(
          data.all.tokens.narrow(0, window * data.stride, data.context + 1));
    }
  }
  if (classes.empty()) {
    const at::Tensor tokens = at::stack(rows);
    const bool are_rows = data.stride > data.context;
    return ReferenceBatch(are_rows ? ToLongestRow(tokens) : tokens);
  }
  return ReferenceBatch(at::stack(rows), at::stack(classes));
}

// The micro-batches of one step, from the windows that Hydra would take.
std::vector<ReferenceBatch> MicroBatches(const Data& data,
                                         const std::vector<int64_t>& windows,
                                         int64_t micro_batches, int64_t epoch) {
  std::vector<ReferenceBatch> result;
  for (int64_t i = 0; i < micro_batches; ++i) {
    result.push_back(
        BatchOf(data, MicroBatchWindows(windows, i, micro_batches), epoch));
  }
  return result;
}

nlohmann::json Train(ReferenceTrainer& trainer,
                     const hydra::v1::TrainSpec& train, const Data& data,
                     BatchOrder order) {
  std::vector<double> losses, seconds;
  for (int64_t step = 0; step < train.max_steps(); ++step) {
    const std::vector<ReferenceBatch> batches = MicroBatches(
        data, order.WindowsOfStep(step), train.gradient_accumulation_steps(),
        step / order.steps_per_epoch());
    const absl::Time begin = absl::Now();
    const LossSum loss = trainer.Step(batches);
    seconds.push_back(absl::ToDoubleSeconds(absl::Now() - begin));
    losses.push_back(loss.loss_sum / loss.tokens);
  }
  std::vector<double> sorted = seconds;
  std::sort(sorted.begin(), sorted.end());
  return {{"parameters", trainer.table().ParameterCount()},
          {"losses", losses},
          {"step_seconds", seconds},
          {"median_step_seconds", sorted[sorted.size() / 2]}};
}

absl::Status Run(const Options& options) {
  FixProductOrder();
  SetUpComputeThreads(options.threads);
  const auto train = ParseTrainSpec(options.train_json);
  if (!train.ok()) return train.status();
  const auto overrides = OverridesFor(options, *train);
  if (!overrides.ok()) return overrides.status();
  const auto table = ReadTable(options.model_directory, *overrides);
  if (!table.ok()) return table.status();
  const auto data = ReadData(options, *table, *train);
  if (!data.ok()) return data.status();
  auto order = BatchOrder::Create(data->windows,
                                  train->per_device_train_batch_size() *
                                      train->gradient_accumulation_steps(),
                                  train->seed());
  if (!order.ok()) return order.status();

  ReferenceTrainer trainer(*table, *train, [&](const std::string& name) {
    return ReadWholeFile(absl::StrCat(options.model_directory, "/", name));
  });
  trainer.InitializeRandomly();
  if (!options.random) {
    const absl::Status status = LoadWeights(
        options.model_directory, trainer.table(), trainer.parameters());
    if (!status.ok()) return status;
  }
  if (options.is_frozen_int8) {
    RoundFrozenToInt8(trainer.table(), trainer.parameters());
  }
  // The shortest decimals that read back as the same bits.
  std::cout << Train(trainer, *train, *data, *std::move(order)).dump(2)
            << std::endl;
  if (options.save_path.empty()) return absl::OkStatus();
  return SaveWeights(options.save_path, trainer.table(), trainer.parameters());
}

}  // namespace
}  // namespace hydra

int main(int argc, char** argv) {
  CLI::App app("Trains one model in plain LibTorch");
  hydra::Options options;
  app.add_option("--model", options.model_directory,
                 "Hugging Face model directory")
      ->required();
  app.add_flag("--random", options.random,
               "random initialization; only config.json is read");
  app.add_option("--tokens", options.token_file,
                 "raw little-endian token ids; ~id of one that is not trained "
                 "on");
  app.add_option("--data", options.data_json,
                 "in place of tokens: a job file's data section, as JSON, of a "
                 "model that takes sequences whole");
  app.add_option("--tokenizer", options.tokenizer_directory,
                 "the directory of its tokenizer");
  app.add_option("--examples", options.example_file,
                 "in place of tokens: a safetensors file of the model's "
                 "examples and their labels");
  app.add_flag("--rows", options.rows,
               "the ids are rows, each one more than the context length with "
               "its padding, ~0, and not one long row");
  app.add_option("--token-bytes", options.token_bytes, "bytes of a token id")
      ->check(CLI::IsMember({2, 4, 8}));
  app.add_option("--train", options.train_json,
                 "a job file's train section, as JSON");
  app.add_option("--lora", options.lora_json,
                 "a job file's lora section, as JSON: train adapters");
  app.add_option("--frozen", options.frozen,
                 "a job file's model.frozen: patterns of tensors' names");
  app.add_flag("--masters", options.has_masters,
               "what is trained is bfloat16, with masters in float32: a job "
               "file's model.trained_dtype");
  app.add_flag("--int8", options.is_frozen_int8,
               "matrices that are frozen are rounded to int8 by rows: a job "
               "file's model.frozen_dtype");
  app.add_option("--save", options.save_path,
                 "write the final weights to this safetensors file");
  app.add_option("--threads", options.threads)->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);

  const absl::Status status = hydra::Run(options);
  if (status.ok()) return 0;
  std::cerr << status << "\n";
  return 1;
}
