#include "tests/chaos/figures.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace hydra {

double Quantile(std::vector<double> values, double part) {
  if (values.empty()) return 0;
  const size_t index =
      std::min(values.size() - 1, static_cast<size_t>(part * values.size()));
  std::nth_element(values.begin(), values.begin() + index, values.end());
  return values[index];
}

void FigureTable::Add(absl::string_view name, absl::string_view value) {
  rows_.emplace_back(name, value);
}

void FigureTable::AddMustBeZero(absl::string_view name, int64_t count) {
  Add(name, absl::StrCat(count, count == 0 ? "" : "   <-- must be 0"));
  if (count != 0) promise_broken_ = true;
}

void FigureTable::AddNumber(absl::string_view name, double value) {
  Add(name, absl::StrFormat("%.1f", value));
}

std::string FigureTable::Text() const {
  std::string text;
  for (const auto& [name, value] : rows_) {
    absl::StrAppendFormat(&text, "%-48s %s\n", name, value);
  }
  return text;
}

}  // namespace hydra
