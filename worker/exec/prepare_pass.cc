#include "worker/exec/prepare_pass.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/chain/split.h"
#include "common/data/data_format.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "worker/data/token_cache.h"

namespace hydra {
namespace {

using worker::v1::JobContext;
using worker::v1::PrepareResult;
using worker::v1::Split;

using Files = google::protobuf::RepeatedPtrField<std::string>;

PrepareRequest RequestFor(const JobContext& job, const Files& files,
                          int64_t vocabulary_size) {
  const hydra::v1::ModelSpec& model = job.spec().model();
  const hydra::v1::DataSpec& data = job.spec().data();
  PrepareRequest request;
  request.cache_dir = job.token_cache_dir();
  request.files.assign(files.begin(), files.end());
  request.format = data.format();
  request.text_field = data.text_field();
  request.chat_template_path = data.chat_template();
  request.train_on_prompt = data.train_on_prompt();
  request.packing = data.packing();
  request.context_length = job.spec().train().context_length();
  request.tokenizer_dir =
      model.tokenizer_path().empty() ? model.path() : model.tokenizer_path();
  request.read_roots.assign(job.read_roots().begin(), job.read_roots().end());
  request.vocabulary_size = vocabulary_size;
  return request;
}

}  // namespace

absl::StatusOr<PrepareResult> RunPreparePass(const JobContext& job,
                                             int64_t vocabulary_size,
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
    auto prepared = Prepare(RequestFor(job, *files, vocabulary_size), control);
    if (!prepared.ok()) return prepared.status();
    worker::v1::PreparedSplit* out = result.add_splits();
    out->set_split(split);
    out->set_token_file(prepared->path);
    out->set_token_count(prepared->token_count);
    if (prepared->marked.has_value()) {
      out->set_row_count(prepared->marked->row_count);
      out->set_trained_count(prepared->marked->trained_count);
    }
    for (const std::string& warning : prepared->warnings) {
      log.Log(LogSink::Severity::kWarning, warning);
      result.add_warnings(warning);
    }
    std::string line =
        absl::StrCat(SplitName(split), ": ", prepared->token_count, " tokens");
    if (IsRows(data.format())) {
      absl::StrAppend(&line, " of ", prepared->rows.rows, " rows");
    }
    if (prepared->marked.has_value()) {
      absl::StrAppend(&line, ", ", prepared->marked->trained_count,
                      " of them trained on");
    }
    if (prepared->reused) {
      absl::StrAppend(&line, ", prepared before");
    } else if (prepared->resumed_tokens > 0) {
      absl::StrAppend(&line, ", ", prepared->resumed_tokens,
                      " of them by an earlier try");
    }
    log.Log(LogSink::Severity::kInfo, std::move(line));
  }
  return result;
}

}  // namespace hydra
