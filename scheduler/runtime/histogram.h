#ifndef HYDRA_SCHEDULER_RUNTIME_HISTOGRAM_H_
#define HYDRA_SCHEDULER_RUNTIME_HISTOGRAM_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace hydra {

// How often which sizes came, in buckets with fixed bounds. A value.
class Histogram {
 public:
  // Ascending upper bounds, each within its bucket; one bucket more has what is
  // above all of them.
  explicit Histogram(std::vector<double> bounds)
      : bounds_(std::move(bounds)), counts_(bounds_.size() + 1) {}

  // `value` is a number from 0 on.
  void Add(double value) {
    const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), value);
    ++counts_[bucket - bounds_.begin()];
    sum_ += value;
  }

  const std::vector<double>& bounds() const { return bounds_; }
  // Of each bucket alone.
  const std::vector<int64_t>& counts() const { return counts_; }
  double sum() const { return sum_; }

 private:
  std::vector<double> bounds_;
  std::vector<int64_t> counts_;
  double sum_ = 0;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_RUNTIME_HISTOGRAM_H_
