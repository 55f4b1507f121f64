#include "worker/data/window_reader.h"

#include <algorithm>
#include <optional>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/data/batch_plan.h"
#include "common/data/padded_context.h"

namespace hydra {
namespace {

absl::Status CheckArguments(const TokenFile& file, int64_t context_length,
                            absl::Span<const int64_t> windows) {
  if (context_length < 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "context_length is ", context_length, ", must be at least 1"));
  }
  const bool has_rows = file.row_count() > 0;
  const int64_t window_count = WindowsIn(file, context_length);
  for (const int64_t window : windows) {
    if (window >= 0 && window < window_count) continue;
    return absl::OutOfRangeError(
        has_rows
            ? absl::StrCat("row ", window, " is not among the ", window_count,
                           " of ", file.path())
            : absl::StrCat("window ", window, " is not among the ",
                           window_count, " that ", file.token_count(),
                           " tokens have at context length ", context_length));
  }
  return absl::OkStatus();
}

// The ids of a window, with their marks: context_length + 1, or those of a row.
absl::Status ReadIds(const TokenFile& file, int64_t context_length,
                     int64_t window, std::vector<uint32_t>* ids) {
  const bool is_whole = file.whole().has_value();
  int64_t first = window * context_length;
  int64_t count = is_whole ? context_length : context_length + 1;
  if (file.row_count() > 0) {
    const absl::StatusOr<TokenFile::Row> row = file.FindRow(window);
    if (!row.ok()) return row.status();
    if (is_whole && row->end == row->begin) {
      return absl::DataLossError(
          absl::StrCat(file.path(), " has no tokens in row ", window));
    }
    if (row->end - row->begin > count) {
      return absl::DataLossError(
          absl::StrCat(file.path(), " has ", row->end - row->begin,
                       " tokens in row ", window, ", more than ", count));
    }
    first = row->begin;
    count = row->end - row->begin;
  }
  ids->resize(count);
  return file.Read(first, absl::MakeSpan(*ids));
}

void AddMarkedTargets(absl::Span<const uint32_t> ids, int64_t context_length,
                      TokenWindows* read) {
  const int64_t count = ids.size();
  for (int64_t i = 1; i <= context_length; ++i) {
    const bool is_trained = i < count && (ids[i] & kUntrainedMark) == 0;
    read->targets.push_back(is_trained ? ids[i] : kNoTarget);
    if (!is_trained) ++read->untrained_targets;
  }
}

// Of a row that is taken whole.
void AddWholeTargets(absl::Span<const uint32_t> ids, int64_t context_length,
                     TokenWindows* read) {
  const int64_t count = ids.size();
  for (int64_t i = 0; i < context_length; ++i) {
    const bool is_target = i < count && (ids[i] & kUntrainedMark) == 0;
    read->targets.push_back(is_target ? ids[i] & ~kSecondTextMark : kNoTarget);
    if (!is_target) ++read->untrained_targets;
  }
}

// See TokenWindows. Takes the marks off.
void AddLengthAndTypes(int64_t context_length, std::vector<uint32_t>* ids,
                       TokenWindows* read) {
  read->lengths.push_back(static_cast<int64_t>(ids->size()));
  const size_t first = read->token_types.size();
  read->token_types.resize(first + context_length, 0);
  for (size_t i = 0; i < ids->size(); ++i) {
    if (((*ids)[i] & kSecondTextMark) != 0) read->token_types[first + i] = 1;
    (*ids)[i] &= ~(kSecondTextMark | kUntrainedMark);
  }
}

}  // namespace

int64_t WindowsIn(const TokenFile& file, int64_t context_length) {
  return file.row_count() > 0 ? file.row_count()
                              : WindowCount(file.token_count(), context_length);
}

absl::StatusOr<int64_t> ContextOf(const TokenFile& file, int64_t context_length,
                                  absl::Span<const int64_t> windows) {
  if (file.row_count() == 0) return context_length;
  const absl::Status checked = CheckArguments(file, context_length, windows);
  if (!checked.ok()) return checked;
  int64_t longest = 0;
  for (const int64_t window : windows) {
    const absl::StatusOr<TokenFile::Row> row = file.FindRow(window);
    if (!row.ok()) return row.status();
    longest = std::max(longest, row->end - row->begin);
  }
  return PaddedContext(file.whole().has_value() ? longest + 1 : longest,
                       context_length);
}

absl::StatusOr<TokenWindows> ReadWindows(const TokenFile& file,
                                         int64_t context_length,
                                         absl::Span<const int64_t> windows) {
  const absl::Status checked = CheckArguments(file, context_length, windows);
  if (!checked.ok()) return checked;
  const int64_t row_tokens = context_length + 1;
  TokenWindows read;
  read.tokens.assign(windows.size() * row_tokens, kPadding);
  auto row = read.tokens.begin();
  std::vector<uint32_t> ids;
  for (const int64_t window : windows) {
    const absl::Status done = ReadIds(file, context_length, window, &ids);
    if (!done.ok()) return done;
    if (const std::optional<WholeRows> whole = file.whole();
        whole.has_value()) {
      if (whole->class_count > 0) {
        const absl::StatusOr<int64_t> row_class = file.ReadClass(window);
        if (!row_class.ok()) return row_class.status();
        read.targets.push_back(*row_class);
      } else {
        AddWholeTargets(ids, context_length, &read);
      }
      AddLengthAndTypes(context_length, &ids, &read);
    } else if (file.has_marks()) {
      AddMarkedTargets(ids, context_length, &read);
      for (uint32_t& id : ids) id &= ~kUntrainedMark;
    }
    std::copy(ids.begin(), ids.end(), row);
    row += row_tokens;
  }
  // As if there had been no marks: the same work, and the same bits.
  if (read.untrained_targets == 0 && !file.whole().has_value()) {
    read.targets.clear();
  }
  if (absl::c_none_of(read.token_types,
                      [](int64_t type) { return type > 0; })) {
    read.token_types.clear();
  }
  return read;
}

}  // namespace hydra
