#include "worker/data/window_reader.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/data/batch_plan.h"

namespace hydra {
namespace {

absl::Status CheckArguments(absl::Span<const uint32_t> tokens,
                            int64_t context_length,
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
  const int64_t window_count = WindowCount(tokens.size(), context_length);
  for (const int64_t window : windows) {
    if (window < 0 || window >= window_count) {
      return absl::OutOfRangeError(absl::StrCat(
          "window ", window, " is not among the ", window_count, " that ",
          tokens.size(), " tokens have at context length ", context_length));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ReadWindows(absl::Span<const uint32_t> tokens,
                         int64_t context_length,
                         absl::Span<const int64_t> windows,
                         absl::Span<int64_t> rows) {
  const absl::Status checked =
      CheckArguments(tokens, context_length, windows, rows);
  if (!checked.ok()) return checked;
  auto row = rows.begin();
  for (const int64_t window : windows) {
    row = std::copy_n(tokens.begin() + window * context_length,
                      context_length + 1, row);
  }
  return absl::OkStatus();
}

}  // namespace hydra
