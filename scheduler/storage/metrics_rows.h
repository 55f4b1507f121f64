#ifndef HYDRA_SCHEDULER_STORAGE_METRICS_ROWS_H_
#define HYDRA_SCHEDULER_STORAGE_METRICS_ROWS_H_

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "common/ids/ids.h"
#include "hydra/v1/status.pb.h"
#include "scheduler/journal/record_store.h"

namespace hydra {

// What a job measured, as one sequence: of each step first the evaluations that
// come before it (validation, then test), then the step itself.
struct MetricsRow {
  std::variant<v1::StepMetrics, v1::EvaluationMetrics> metrics;

  // From 0; of an evaluation, how many were trained before it.
  int64_t step() const;
  // Where it stands in the sequence; rises, with gaps.
  int64_t place() const;
};

// The place of a step's first evaluation, and of the step itself.
int64_t FirstPlaceOf(int64_t step);
int64_t PlaceOfStep(int64_t step);
// Of an evaluation by its number in jobs.db, see EvaluationNumber().
int64_t PlaceOfEvaluation(int64_t number);
int64_t StepAt(int64_t place);

// At most `most` of a job's rows from `from` on, in order, as jobs.db has them,
// and only those that will not change any more while training goes on: a step's
// row is written anew until all of its tasks are done. `ended`: the job has, so
// that none changes. Holds up the writer of jobs.db for as long as it takes.
//
// DATA_LOSS: a record is damaged, or no message of its table. Others: the
// store's.
absl::StatusOr<std::vector<MetricsRow>> ReadMetricsRows(const RecordStore& jobs,
                                                        JobId job, int64_t from,
                                                        int most, bool ended);

// The row at `place`, if there is one that will not change.
absl::StatusOr<std::optional<MetricsRow>> ReadMetricsRow(
    const RecordStore& jobs, JobId job, int64_t place, bool ended);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_STORAGE_METRICS_ROWS_H_
