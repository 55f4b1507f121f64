#include "scheduler/storage/metrics_rows.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "scheduler/journal/tables.h"

namespace hydra {
namespace {

// Validation, test, the step.
constexpr int64_t kPlacesOfAStep = 3;

// What a visitor ends its reading with.
const absl::Status& kEnough = *new absl::Status(absl::CancelledError("enough"));

// Appends at most `most` rows of a table, from record `first` on, and lowers
// `known` to the place of the last one, if the table may have more.
template <typename Metrics>
absl::Status Append(const RecordStore& jobs, int table, JobId job,
                    int64_t first, int most, std::vector<MetricsRow>& rows,
                    int64_t& known) {
  int read = 0;
  const absl::Status status = jobs.ForEachFrom(
      table, static_cast<int64_t>(job.value()), first,
      [&](int64_t, int64_t b, absl::string_view value) -> absl::Status {
        Metrics metrics;
        if (!metrics.ParseFromArray(value.data(),
                                    static_cast<int>(value.size()))) {
          return absl::DataLossError(absl::StrCat("record (", job.value(), ", ",
                                                  b, ") of table ", table,
                                                  " is no message of it"));
        }
        rows.push_back({std::move(metrics)});
        return ++read < most ? absl::OkStatus() : kEnough;
      });
  if (status == kEnough) {
    known = std::min(known, rows.back().place());
    return absl::OkStatus();
  }
  return status;
}

// All of the step's tasks are done.
bool IsWhole(const MetricsRow& row) {
  const auto* step = std::get_if<v1::StepMetrics>(&row.metrics);
  return step == nullptr || step->has_device();
}

}  // namespace

int64_t MetricsRow::step() const {
  return std::visit([](const auto& one) { return one.step(); }, metrics);
}

int64_t MetricsRow::place() const {
  if (const auto* evaluation = std::get_if<v1::EvaluationMetrics>(&metrics)) {
    return PlaceOfEvaluation(EvaluationNumber(*evaluation));
  }
  return PlaceOfStep(step());
}

int64_t FirstPlaceOf(int64_t step) { return kPlacesOfAStep * step; }
int64_t PlaceOfStep(int64_t step) { return kPlacesOfAStep * step + 2; }
int64_t PlaceOfEvaluation(int64_t number) {
  return kPlacesOfAStep * (number / 2) + number % 2;
}
int64_t StepAt(int64_t place) { return place / kPlacesOfAStep; }

absl::StatusOr<std::vector<MetricsRow>> ReadMetricsRows(const RecordStore& jobs,
                                                        JobId job, int64_t from,
                                                        int most, bool ended) {
  // The last one is whole if another one stands behind it; and of the step of
  // `from` up to two evaluations may stand before it.
  const int looked_at = most + 1 + 2;
  const int64_t step = StepAt(from);
  int64_t known = std::numeric_limits<int64_t>::max();
  std::vector<MetricsRow> rows;
  absl::Status status = Append<v1::StepMetrics>(jobs, kStepsTable, job, step,
                                                looked_at, rows, known);
  if (status.ok()) {
    status = Append<v1::EvaluationMetrics>(
        jobs, kEvaluationsTable, job,
        EvaluationNumber(step, worker::v1::SPLIT_VALIDATION), looked_at, rows,
        known);
  }
  if (!status.ok()) return status;
  rows.erase(std::remove_if(rows.begin(), rows.end(),
                            [&](const MetricsRow& row) {
                              return row.place() < from || row.place() > known;
                            }),
             rows.end());
  std::sort(rows.begin(), rows.end(),
            [](const MetricsRow& a, const MetricsRow& b) {
              return a.place() < b.place();
            });
  if (!rows.empty() && !ended && !IsWhole(rows.back())) rows.pop_back();
  if (rows.size() > static_cast<size_t>(most)) rows.resize(most);
  return rows;
}

absl::StatusOr<std::optional<MetricsRow>> ReadMetricsRow(
    const RecordStore& jobs, JobId job, int64_t place, bool ended) {
  absl::StatusOr<std::vector<MetricsRow>> rows =
      ReadMetricsRows(jobs, job, place, /*most=*/1, ended);
  if (!rows.ok()) return rows.status();
  if (rows->empty() || rows->front().place() != place) return std::nullopt;
  return std::move(rows->front());
}

}  // namespace hydra
