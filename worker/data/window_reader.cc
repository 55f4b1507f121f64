#include "worker/data/window_reader.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/data/batch_plan.h"

namespace hydra {
namespace {

absl::Status CheckArguments(int64_t token_count, int64_t context_length,
                            absl::Span<const int64_t> windows,
                            absl::Span<int64_t> rows) {
  if (context_length < 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "context_length is ", context_length, ", must be at least 1"));
  }
  const int64_t row_count = windows.size();
  if (row_count * (context_length + 1) != static_cast<int64_t>(rows.size())) {
    return absl::InvalidArgumentError(
        absl::StrCat(row_count, " windows of ", context_length + 1,
                     " tokens do not fill the ", rows.size(), " places given"));
  }
  const int64_t window_count = WindowCount(token_count, context_length);
  for (const int64_t window : windows) {
    if (window < 0 || window >= window_count) {
      return absl::OutOfRangeError(absl::StrCat(
          "window ", window, " is not among the ", window_count, " that ",
          token_count, " tokens have at context length ", context_length));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ReadWindows(const TokenFile& file, int64_t context_length,
                         absl::Span<const int64_t> windows,
                         absl::Span<int64_t> rows) {
  const absl::Status checked =
      CheckArguments(file.token_count(), context_length, windows, rows);
  if (!checked.ok()) return checked;
  std::vector<uint32_t> ids(context_length + 1);
  auto row = rows.begin();
  for (const int64_t window : windows) {
    const absl::Status read =
        file.Read(window * context_length, absl::MakeSpan(ids));
    if (!read.ok()) return read;
    row = std::copy(ids.begin(), ids.end(), row);
  }
  return absl::OkStatus();
}

}  // namespace hydra
