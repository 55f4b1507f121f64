#ifndef HYDRA_CLIENT_RENDER_JOB_CELLS_H_
#define HYDRA_CLIENT_RENDER_JOB_CELLS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "client/render/table.h"
#include "hydra/v1/status.pb.h"

namespace hydra {

// Table cells that several displays of jobs share. Pure. What a job does not
// have yet is "-".

// Its name; of another user's, whose it is: "(alice's)".
std::string NameText(const v1::JobStatus& job);
// "completed" in green, and so on.
Cell StateCell(const v1::JobStatus& job);
// The phase of a job that runs or waits, else "-".
std::string PhaseText(const v1::JobStatus& job);
// The same, else its state.
Cell PhaseCell(const v1::JobStatus& job);
// "17/120", or "17" before the total is known.
std::string StepText(const v1::JobStatus& job);
std::string TrainLossText(const v1::JobStatus& job);
std::string ValidationLossText(const v1::JobStatus& job);
std::string ValidationPerplexityText(const v1::JobStatus& job);
std::string TestPerplexityText(const v1::JobStatus& job);
std::string ValidationAccuracyText(const v1::JobStatus& job);
std::string TestAccuracyText(const v1::JobStatus& job);
// It has accuracies, and no perplexities.
bool IsClassification(const v1::JobStatus& job);
// How fast it trains, "1234", without its unit.
std::string RateText(const v1::JobStatus& job);
// "tokens/s", or "examples/s".
std::string RateUnit(const v1::JobStatus& job);
// Of a job that has not ended.
std::string RemainingText(const v1::JobStatus& job);
// When it ends, by the server's forecast; see ForecastText. "-" of one that has
// ended.
std::string EndsText(const v1::JobStatus& job, absl::Time now,
                     absl::TimeZone zone);
// The sweep's values of this job, or its name where there are none.
std::string ParametersText(const v1::JobStatus& job);

// Whose the jobs of a table are, where they are not all one user's.
class OwnerColumn {
 public:
  // `jobs` is a range of v1::JobStatus.
  template <typename Jobs>
  explicit OwnerColumn(const Jobs& jobs) {
    for (const v1::JobStatus& job : jobs) Note(job);
  }

  void Add(std::vector<Column>& columns) const;
  void Add(const v1::JobStatus& job, std::vector<Cell>& cells) const;

 private:
  void Note(const v1::JobStatus& job);

  std::optional<std::string> first_;
  bool is_mixed_ = false;
};

// What a table of jobs shows of how good they are: accuracies where any has
// them, and perplexities unless all that were measured have accuracies.
class QualityColumns {
 public:
  // `jobs` is a range of v1::JobStatus.
  template <typename Jobs>
  explicit QualityColumns(const Jobs& jobs) {
    for (const v1::JobStatus& job : jobs) Note(job);
  }

  // Columns, or a job's cells in them, of the validation split.
  void AddValidation(std::vector<Column>& columns) const;
  void AddValidation(const v1::JobStatus& job, std::vector<Cell>& cells) const;
  // And of the test split.
  void AddTest(std::vector<Column>& columns) const;
  void AddTest(const v1::JobStatus& job, std::vector<Cell>& cells) const;

 private:
  void Note(const v1::JobStatus& job);
  bool has_perplexity() const { return is_perplexed_ || !is_classified_; }

  bool is_perplexed_ = false;
  bool is_classified_ = false;
};

// How fast the jobs of a table train: all of them in one unit, which is the
// title's, or each with its own.
class RateColumn {
 public:
  // `jobs` is a range of v1::JobStatus.
  template <typename Jobs>
  explicit RateColumn(const Jobs& jobs) {
    for (const v1::JobStatus& job : jobs) Note(job);
  }

  Column Title() const;
  Cell Of(const v1::JobStatus& job) const;

 private:
  void Note(const v1::JobStatus& job);
  bool is_mixed() const { return has_tokens_ && has_examples_; }

  bool has_tokens_ = false;
  bool has_examples_ = false;
};

}  // namespace hydra

#endif  // HYDRA_CLIENT_RENDER_JOB_CELLS_H_
