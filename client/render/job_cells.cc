#include "client/render/job_cells.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/render/format.h"
#include "common/status/proto_time.h"

namespace hydra {
namespace {

constexpr char kNothing[] = "-";

Style StateStyle(v1::JobState state) {
  switch (state) {
    case v1::JOB_STATE_COMPLETED:
      return Style::kGreen;
    case v1::JOB_STATE_FAILED:
      return Style::kRed;
    case v1::JOB_STATE_CANCELLED:
    case v1::JOB_STATE_PAUSED:
      return Style::kYellow;
    case v1::JOB_STATE_RUNNING:
      return Style::kCyan;
    default:
      return Style::kDim;
  }
}

}  // namespace

std::string NameText(const v1::JobStatus& job) {
  return job.withheld() ? absl::StrCat("(", job.owner(), "'s)") : job.name();
}

Cell StateCell(const v1::JobStatus& job) {
  return Cell(StateName(job.state()), StateStyle(job.state()));
}

std::string PhaseText(const v1::JobStatus& job) {
  if (HasEnded(job) || job.state() == v1::JOB_STATE_PAUSED ||
      job.phase() == v1::JOB_PHASE_UNSPECIFIED) {
    return kNothing;
  }
  return PhaseName(job.phase());
}

Cell PhaseCell(const v1::JobStatus& job) {
  const std::string phase = PhaseText(job);
  if (phase == kNothing) return StateCell(job);
  return Cell(phase, StateStyle(job.state()));
}

std::string StepText(const v1::JobStatus& job) {
  if (job.total_steps() == 0) {
    return job.step() == 0 ? kNothing : absl::StrCat(job.step());
  }
  return absl::StrCat(job.step(), "/", job.total_steps());
}

std::string TrainLossText(const v1::JobStatus& job) {
  return job.has_train_loss() ? LossText(job.train_loss()) : kNothing;
}

std::string ValidationLossText(const v1::JobStatus& job) {
  return job.has_validation_loss() ? LossText(job.validation_loss()) : kNothing;
}

std::string ValidationPerplexityText(const v1::JobStatus& job) {
  return job.has_validation_perplexity()
             ? PerplexityText(job.validation_perplexity())
             : kNothing;
}

std::string TestPerplexityText(const v1::JobStatus& job) {
  return job.has_test_perplexity() ? PerplexityText(job.test_perplexity())
                                   : kNothing;
}

std::string ValidationAccuracyText(const v1::JobStatus& job) {
  return job.has_validation_accuracy() ? AccuracyText(job.validation_accuracy())
                                       : kNothing;
}

std::string TestAccuracyText(const v1::JobStatus& job) {
  return job.has_test_accuracy() ? AccuracyText(job.test_accuracy()) : kNothing;
}

bool IsClassification(const v1::JobStatus& job) {
  return job.has_validation_accuracy() || job.has_test_accuracy();
}

std::string RateText(const v1::JobStatus& job) {
  if (job.tokens_per_second() <= 0) return kNothing;
  return absl::StrFormat("%.0f", job.tokens_per_second());
}

std::string RateUnit(const v1::JobStatus& job) {
  return job.counts_examples() ? "examples/s" : "tokens/s";
}

std::string RemainingText(const v1::JobStatus& job) {
  if (HasEnded(job) || !job.has_remaining()) return kNothing;
  return DurationText(FromProto(job.remaining()));
}

std::string EndsText(const v1::JobStatus& job, absl::Time now,
                     absl::TimeZone zone) {
  if (HasEnded(job) || !job.has_forecast_end()) return kNothing;
  return ForecastText(job.forecast_end(), now, zone);
}

void OwnerColumn::Note(const v1::JobStatus& job) {
  if (!first_.has_value()) first_ = job.owner();
  is_mixed_ = is_mixed_ || job.owner() != *first_;
}

void OwnerColumn::Add(std::vector<Column>& columns) const {
  if (is_mixed_) columns.push_back({"OWNER"});
}

void OwnerColumn::Add(const v1::JobStatus& job,
                      std::vector<Cell>& cells) const {
  if (is_mixed_) cells.push_back(job.owner().empty() ? kNothing : job.owner());
}

void QualityColumns::Note(const v1::JobStatus& job) {
  is_classified_ = is_classified_ || IsClassification(job);
  is_perplexed_ = is_perplexed_ || job.has_validation_perplexity() ||
                  job.has_test_perplexity();
}

void QualityColumns::AddValidation(std::vector<Column>& columns) const {
  if (has_perplexity()) columns.push_back({"VAL PPL", true});
  if (is_classified_) columns.push_back({"VAL ACC", true});
}

void QualityColumns::AddValidation(const v1::JobStatus& job,
                                   std::vector<Cell>& cells) const {
  if (has_perplexity()) cells.emplace_back(ValidationPerplexityText(job));
  if (is_classified_) cells.emplace_back(ValidationAccuracyText(job));
}

void QualityColumns::AddTest(std::vector<Column>& columns) const {
  if (has_perplexity()) columns.push_back({"TEST PPL", true});
  if (is_classified_) columns.push_back({"TEST ACC", true});
}

void QualityColumns::AddTest(const v1::JobStatus& job,
                             std::vector<Cell>& cells) const {
  if (has_perplexity()) cells.emplace_back(TestPerplexityText(job));
  if (is_classified_) cells.emplace_back(TestAccuracyText(job));
}

void RateColumn::Note(const v1::JobStatus& job) {
  has_tokens_ = has_tokens_ || !job.counts_examples();
  has_examples_ = has_examples_ || job.counts_examples();
}

Column RateColumn::Title() const {
  if (is_mixed()) return {"RATE", true};
  return {has_examples_ ? "EXAMPLES/S" : "TOKENS/S", true};
}

Cell RateColumn::Of(const v1::JobStatus& job) const {
  const std::string rate = RateText(job);
  if (!is_mixed() || rate == kNothing) return rate;
  return absl::StrCat(rate, " ", RateUnit(job));
}

std::string ParametersText(const v1::JobStatus& job) {
  if (job.parameters().empty()) return job.name();
  return absl::StrJoin(job.parameters(), " ");
}

}  // namespace hydra
