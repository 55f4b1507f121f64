#ifndef HYDRA_SCHEDULER_STORAGE_METRICS_LINE_H_
#define HYDRA_SCHEDULER_STORAGE_METRICS_LINE_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "hydra/v1/job.pb.h"
#include "hydra/v1/status.pb.h"
#include "scheduler/storage/metrics_rows.h"

// Lines of metrics.jsonl. Pure.
namespace hydra {

// What of a job is said beside its rows.
struct MetricsContext {
  // With every default filled in.
  v1::TrainSpec train;
  int64_t total_steps = 0;
  // What is counted: tokens, or examples.
  int64_t tokens_of_a_step = 0;
  bool counts_examples = false;
};

// What follows from a step's row and the job, for both kinds of files.
double LearningRateOf(const v1::StepMetrics& step,
                      const MetricsContext& context);
// Tokens, or examples, in a second of devices' time; none where that is not
// known.
std::optional<double> RateOf(const v1::StepMetrics& step,
                             const MetricsContext& context);

// The row as one object of JSON, with its line end. Numbers are the shortest
// that read as the same double; what is infinite or no number is null.
std::string MetricsLine(const MetricsRow& row, const MetricsContext& context);

// The place of the row that a line, without its line end, is of; none if it is
// no such line.
std::optional<int64_t> PlaceOfLine(absl::string_view line);

// Whether such a line tells of this very measurement, not of one before the job
// went back to a checkpoint.
bool IsLineOf(absl::string_view line, const MetricsRow& row);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_STORAGE_METRICS_LINE_H_
