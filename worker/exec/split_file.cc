#include "worker/exec/split_file.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "worker/data/example_file.h"
#include "worker/data/token_file.h"
#include "worker/data/window_reader.h"

namespace hydra {
namespace {

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

class TokenSplit : public SplitFile {
 public:
  static absl::StatusOr<std::unique_ptr<const SplitFile>> Open(
      const std::string& path, int64_t context, int64_t vocab_size) {
    absl::StatusOr<TokenFile> file = TokenFile::Open(path);
    if (!file.ok()) return file.status();
    absl::Status checked = CheckHeader(*file, context, vocab_size);
    if (!checked.ok()) return checked;
    return std::make_unique<const TokenSplit>(*std::move(file), context,
                                              vocab_size);
  }

  TokenSplit(TokenFile file, int64_t context, int64_t vocab_size)
      : file_(std::move(file)), context_(context), vocab_size_(vocab_size) {}

  int64_t window_count() const override { return WindowsIn(file_, context_); }
  bool has_untrained_targets() const override { return file_.has_marks(); }

  absl::StatusOr<HostBatch> Read(absl::Span<const int64_t> windows,
                                 bool /*with_inputs*/) const override {
    const absl::StatusOr<int64_t> context = ContextOf(file_, context_, windows);
    if (!context.ok()) return context.status();
    absl::StatusOr<TokenWindows> read = ReadWindows(file_, *context, windows);
    if (!read.ok()) return read.status();
    HostBatch batch;
    batch.sequences = static_cast<int64_t>(windows.size());
    batch.context = *context;
    batch.tokens = std::move(read->tokens);
    batch.targets = std::move(read->targets);
    batch.untrained_targets = read->untrained_targets;
    absl::Status checked = CheckIds(file_, batch, windows, vocab_size_);
    if (!checked.ok()) return checked;
    return batch;
  }

 private:
  const TokenFile file_;
  const int64_t context_;
  const int64_t vocab_size_;
};

class ExampleSplit : public SplitFile {
 public:
  static absl::StatusOr<std::unique_ptr<const SplitFile>> Open(
      const std::string& path, const ExampleInput& input) {
    absl::StatusOr<ExampleFile> file = ExampleFile::Open(path);
    if (!file.ok()) return file.status();
    if (file->element_count() != input.element_count()) {
      return absl::DataLossError(
          absl::StrCat(path, " has examples of ", file->element_count(),
                       " numbers, the model takes ", input.element_count()));
    }
    return std::make_unique<const ExampleSplit>(*std::move(file),
                                                input.class_count);
  }

  ExampleSplit(ExampleFile file, int64_t class_count)
      : file_(std::move(file)), class_count_(class_count) {}

  int64_t window_count() const override { return file_.example_count(); }
  bool has_untrained_targets() const override { return false; }

  absl::StatusOr<HostBatch> Read(absl::Span<const int64_t> windows,
                                 bool with_inputs) const override {
    const int64_t numbers = file_.element_count();
    HostBatch batch;
    batch.sequences = static_cast<int64_t>(windows.size());
    batch.context = 1;
    if (with_inputs) batch.examples.resize(batch.sequences * numbers);
    for (int64_t i = 0; i < batch.sequences; ++i) {
      const int64_t example = windows[i];
      if (example < 0 || example >= window_count()) {
        return absl::OutOfRangeError(
            absl::StrCat("example ", example, " is not among the ",
                         window_count(), " of ", file_.path()));
      }
      const absl::StatusOr<int64_t> label =
          with_inputs ? file_.Read(example, absl::MakeSpan(batch.examples)
                                                .subspan(i * numbers, numbers))
                      : file_.ReadClass(example);
      if (!label.ok()) return label.status();
      // As a damaged file may say. It would lead the head to memory that is not
      // its.
      if (*label < 0 || *label >= class_count_) {
        return absl::DataLossError(
            absl::StrCat(file_.path(), ": example ", example, " has class ",
                         *label, "; the model has ", class_count_));
      }
      batch.targets.push_back(*label);
    }
    return batch;
  }

 private:
  const ExampleFile file_;
  const int64_t class_count_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<const SplitFile>> SplitFile::Open(
    const std::string& path, int64_t context, const ModelTable& table) {
  return table.examples.has_value()
             ? ExampleSplit::Open(path, *table.examples)
             : TokenSplit::Open(path, context, table.vocabulary_size);
}

}  // namespace hydra
