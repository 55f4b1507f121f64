#include "worker/exec/prepare_pass.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/chain/split.h"
#include "common/data/data_format.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "worker/data/example_cache.h"
#include "worker/data/image/image_cache.h"
#include "worker/data/labeled_rows.h"
#include "worker/data/prepared_examples.h"
#include "worker/data/sequence_build.h"
#include "worker/data/token_cache.h"
#include "worker/exec/job_access.h"

namespace hydra {
namespace {

using worker::v1::JobContext;
using worker::v1::PrepareResult;
using worker::v1::Split;

using Files = google::protobuf::RepeatedPtrField<std::string>;

// Of a model that takes sequences whole.
SequenceOptions SequencesOf(const JobContext& job, const ModelTable& table) {
  SequenceOptions options;
  options.context_length = job.spec().train().context_length();
  if (table.objective != Objective::kClass) return options;
  const hydra::v1::DataSpec& data = job.spec().data();
  LabeledReading& labeled = options.labeled.emplace();
  labeled.format = data.format();
  labeled.text_field = data.text_field();
  labeled.text_pair_field = data.text_pair_field();
  labeled.label_field = data.label_field();
  labeled.class_count = table.classes.count;
  labeled.class_numbers = table.classes.numbers;
  return options;
}

PrepareRequest RequestFor(const JobContext& job, const Files& files,
                          const ModelTable& table) {
  const hydra::v1::ModelSpec& model = job.spec().model();
  const hydra::v1::DataSpec& data = job.spec().data();
  PrepareRequest request;
  request.cache_dir = job.token_cache_dir();
  request.files.assign(files.begin(), files.end());
  request.format = data.format();
  request.text_field = data.text_field();
  request.chat_template = job.chat_template();
  request.chat_template_path = data.chat_template();
  request.day = job.day();
  request.train_on_prompt = data.train_on_prompt();
  request.packing = data.packing();
  request.context_length = job.spec().train().context_length();
  request.tokenizer_dir =
      model.tokenizer_path().empty() ? model.path() : model.tokenizer_path();
  request.access = AccessOf(job);
  request.vocabulary_size = table.vocabulary_size;
  if (table.takes_whole_sequences()) {
    request.sequences = SequencesOf(job, table);
  }
  return request;
}

// A split's file, and what there is to say of it.
struct Outcome {
  worker::v1::PreparedSplit split;
  std::vector<std::string> warnings;
  // "5 tokens"
  std::string summary;
};

absl::StatusOr<Outcome> PrepareTokens(const JobContext& job, const Files& files,
                                      const ModelTable& table,
                                      TaskControl& control) {
  const auto prepared = Prepare(RequestFor(job, files, table), control);
  if (!prepared.ok()) return prepared.status();
  Outcome outcome;
  outcome.split.set_token_file(prepared->path);
  outcome.split.set_token_count(prepared->token_count);
  if (prepared->marked.has_value()) {
    outcome.split.set_row_count(prepared->marked->row_count);
    outcome.split.set_trained_count(prepared->marked->trained_count);
  }
  const bool is_whole = table.takes_whole_sequences();
  // Which of them are, is drawn anew in each epoch; or each row's class is.
  if (is_whole) outcome.split.clear_trained_count();
  outcome.warnings = prepared->warnings;
  outcome.summary = absl::StrCat(prepared->token_count, " tokens");
  if (IsRows(job.spec().data().format())) {
    absl::StrAppend(&outcome.summary, " of ", prepared->rows.rows, " rows");
  }
  if (is_whole) {
    absl::StrAppend(&outcome.summary, " in ", prepared->marked->row_count,
                    " sequences");
  } else if (prepared->marked.has_value()) {
    absl::StrAppend(&outcome.summary, ", ", prepared->marked->trained_count,
                    " of them trained on");
  }
  if (prepared->reused) {
    absl::StrAppend(&outcome.summary, ", prepared before");
  } else if (prepared->resumed_tokens > 0) {
    absl::StrAppend(&outcome.summary, ", ", prepared->resumed_tokens,
                    " of them by an earlier try");
  }
  return outcome;
}

// To whatever counts tokens, each example is a row of one.
Outcome OutcomeOf(PreparedExamples prepared) {
  Outcome outcome;
  outcome.split.set_token_file(prepared.path);
  outcome.split.set_token_count(prepared.example_count);
  outcome.split.set_row_count(prepared.example_count);
  outcome.warnings = std::move(prepared.warnings);
  outcome.summary = absl::StrCat(prepared.example_count, " examples",
                                 prepared.reused ? ", prepared before" : "");
  return outcome;
}

absl::StatusOr<Outcome> PrepareTensors(const JobContext& job,
                                       const Files& files,
                                       const ExampleInput& input,
                                       TaskControl& control) {
  ExampleRequest request;
  request.cache_dir = job.token_cache_dir();
  request.files.assign(files.begin(), files.end());
  request.access = AccessOf(job);
  request.input = input;
  absl::StatusOr<PreparedExamples> prepared = PrepareExamples(request, control);
  if (!prepared.ok()) return prepared.status();
  return OutcomeOf(*std::move(prepared));
}

std::vector<std::string> ListOf(const Files& files) {
  return {files.begin(), files.end()};
}

absl::StatusOr<Outcome> PrepareFolders(const JobContext& job,
                                       const Files& folders,
                                       const ExampleInput& input,
                                       TaskControl& control) {
  ImageRequest request;
  request.cache_dir = job.token_cache_dir();
  request.folders = ListOf(folders);
  request.access = AccessOf(job);
  request.input = input;
  // The same for each split: the training folders say which class is which.
  absl::StatusOr<ImageReading> reading = ReadImageReading(
      job.spec().model().path(), job.model_config_json(),
      ListOf(job.spec().data().train_files()), request.access, input);
  if (!reading.ok()) return reading.status();
  request.reading = *std::move(reading);
  absl::StatusOr<PreparedExamples> prepared = PrepareImages(request, control);
  if (!prepared.ok()) return prepared.status();
  return OutcomeOf(*std::move(prepared));
}

absl::StatusOr<Outcome> PrepareSplit(const JobContext& job, const Files& files,
                                     const ModelTable& table,
                                     TaskControl& control) {
  if (!table.examples.has_value()) {
    return PrepareTokens(job, files, table, control);
  }
  if (IsImages(job.spec().data().format())) {
    return PrepareFolders(job, files, *table.examples, control);
  }
  return PrepareTensors(job, files, *table.examples, control);
}

}  // namespace

absl::StatusOr<PrepareResult> RunPreparePass(const JobContext& job,
                                             const ModelTable& table,
                                             LogSink& log,
                                             TaskControl& control) {
  const hydra::v1::DataSpec& data = job.spec().data();
  const std::pair<Split, const Files*> splits[] = {
      {worker::v1::SPLIT_TRAIN, &data.train_files()},
      {worker::v1::SPLIT_VALIDATION, &data.validation_files()},
      {worker::v1::SPLIT_TEST, &data.test_files()},
  };
  PrepareResult result;
  for (const auto& [split, files] : splits) {
    if (files->empty()) continue;
    absl::StatusOr<Outcome> outcome = PrepareSplit(job, *files, table, control);
    if (!outcome.ok()) return outcome.status();
    outcome->split.set_split(split);
    *result.add_splits() = std::move(outcome->split);
    for (const std::string& warning : outcome->warnings) {
      log.Log(LogSink::Severity::kWarning, warning);
      result.add_warnings(warning);
    }
    log.Log(LogSink::Severity::kInfo,
            absl::StrCat(SplitName(split), ": ", outcome->summary));
  }
  return result;
}

}  // namespace hydra
