#ifndef HYDRA_TESTS_CHAOS_FIGURES_H_
#define HYDRA_TESTS_CHAOS_FIGURES_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace hydra {

// The value below which the given part of `values` lies; 0.5 is the median.
// 0 without values.
double Quantile(std::vector<double> values, double part);

// The lines that a manual run prints at its end, and whether a promise was
// broken. Not thread-safe.
class FigureTable {
 public:
  void Add(absl::string_view name, absl::string_view value);
  // Of something that must not happen.
  void AddMustBeZero(absl::string_view name, int64_t count);
  // With one decimal place.
  void AddNumber(absl::string_view name, double value);

  bool promise_broken() const { return promise_broken_; }
  std::string Text() const;

 private:
  std::vector<std::pair<std::string, std::string>> rows_;
  bool promise_broken_ = false;
};

}  // namespace hydra

#endif  // HYDRA_TESTS_CHAOS_FIGURES_H_
