#include "worker/exec/split_file.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/algorithm/container.h"
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

// A model learns from files that were made for it.
absl::Status CheckObjective(const TokenFile& file, const ModelTable& table) {
  const std::optional<WholeRows> whole = file.whole();
  const bool is_right =
      whole.has_value() == table.takes_whole_sequences() &&
      (!whole.has_value() || (whole->class_count == table.classes.count &&
                              whole->mask_id < table.vocabulary_size));
  if (is_right) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      file.path(), " was not made for what the model learns: it has ",
      whole.has_value()
          ? absl::StrCat("whole rows of ", whole->class_count,
                         " classes, and the mask ", whole->mask_id)
          : "no whole rows"));
}

// Nor has a damaged file other classes, or more texts, than the model.
absl::Status CheckClassesAndTypes(const TokenFile& file, const HostBatch& batch,
                                  absl::Span<const int64_t> windows,
                                  const ModelTable& table) {
  if (absl::c_any_of(batch.token_types,
                     [&](int64_t type) { return type >= table.token_types; })) {
    return absl::DataLossError(
        absl::StrCat(file.path(), " has rows of two texts; the model takes ",
                     table.token_types));
  }
  if (table.objective != Objective::kClass) return absl::OkStatus();
  for (size_t i = 0; i < windows.size(); ++i) {
    const int64_t row_class = batch.targets[i];
    if (row_class >= 0 && row_class < table.classes.count) continue;
    return absl::DataLossError(
        absl::StrCat(file.path(), ": row ", windows[i], " has class ",
                     row_class, "; the model has ", table.classes.count));
  }
  return absl::OkStatus();
}

class TokenSplit : public SplitFile {
 public:
  static absl::StatusOr<std::unique_ptr<const SplitFile>> Open(
      const std::string& path, int64_t context, const ModelTable& table) {
    absl::StatusOr<TokenFile> file = TokenFile::Open(path);
    if (!file.ok()) return file.status();
    absl::Status checked = CheckObjective(*file, table);
    checked.Update(CheckHeader(*file, context, table.vocabulary_size));
    if (!checked.ok()) return checked;
    return std::make_unique<const TokenSplit>(*std::move(file), context, table);
  }

  TokenSplit(TokenFile file, int64_t context, const ModelTable& table)
      : file_(std::move(file)), context_(context), table_(table) {}

  int64_t window_count() const override { return WindowsIn(file_, context_); }
  bool has_untrained_targets() const override { return file_.has_marks(); }
  int64_t mask_id() const override {
    return file_.whole().value_or(WholeRows()).mask_id;
  }

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
    batch.lengths = std::move(read->lengths);
    batch.token_types = std::move(read->token_types);
    absl::Status checked =
        CheckIds(file_, batch, windows, table_.vocabulary_size);
    checked.Update(CheckClassesAndTypes(file_, batch, windows, table_));
    if (!checked.ok()) return checked;
    return batch;
  }

 private:
  const TokenFile file_;
  const int64_t context_;
  const ModelTable& table_;
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
  return table.examples.has_value() ? ExampleSplit::Open(path, *table.examples)
                                    : TokenSplit::Open(path, context, table);
}

}  // namespace hydra
