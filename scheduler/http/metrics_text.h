#ifndef HYDRA_SCHEDULER_HTTP_METRICS_TEXT_H_
#define HYDRA_SCHEDULER_HTTP_METRICS_TEXT_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "scheduler/runtime/histogram.h"

namespace hydra {

// Writes metrics in the Prometheus text format, version 0.0.4: families in the
// order in which they begin, their samples in the order in which they come, so
// the same numbers give the same bytes. Pure; not thread-safe.
//
// Names are Prometheus's: letters, digits and '_', those of counters end in
// "_total"; each family begins once. Anything else is a mistake of the program,
// and ends it.
class MetricsText {
 public:
  // Name and value; values may be any UTF-8.
  using Labels = std::vector<std::pair<absl::string_view, std::string>>;

  static constexpr absl::string_view kContentType =
      "text/plain; version=0.0.4; charset=utf-8";

  // A family begins; its samples follow. `help`: one sentence.
  void Gauge(absl::string_view name, absl::string_view help);
  void Counter(absl::string_view name, absl::string_view help);

  // Of the newest family.
  void Sample(const Labels& labels, double value);
  void Sample(const Labels& labels, int64_t value);

  // A family of one histogram, and its samples.
  void WholeHistogram(absl::string_view name, absl::string_view help,
                      const Histogram& histogram);

  std::string Take() && { return std::move(text_); }

 private:
  void Begin(absl::string_view name, absl::string_view type,
             absl::string_view help);
  void Line(absl::string_view name, const Labels& labels,
            absl::string_view value);

  std::string text_;
  std::string family_;
  std::vector<std::string> families_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_HTTP_METRICS_TEXT_H_
