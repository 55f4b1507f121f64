#ifndef HYDRA_SCHEDULER_CORE_STEP_LOG_H_
#define HYDRA_SCHEDULER_CORE_STEP_LOG_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "hydra/v1/status.pb.h"

namespace hydra {

// A job's newest steps, oldest first: at least the newest kKept, and all that
// jobs.db may not have yet. The older ones are in jobs.db alone, so that a job
// of a million steps takes no more memory than one of some hundred. Not
// thread-safe.
class StepLog {
 public:
  static constexpr size_t kKept = 100;

  bool empty() const { return steps_.empty(); }
  size_t size() const { return steps_.size(); }
  // Require that it is not empty.
  hydra::v1::StepMetrics back() const { return ToProto(steps_.back()); }
  int64_t first_step() const { return steps_.front().step; }

  // The journal's entry number `sequence` will bring `step` to jobs.db, which
  // has every entry up to `recorded`. Replaces a newest one of the same number.
  void Add(const hydra::v1::StepMetrics& step, uint64_t sequence,
           uint64_t recorded);
  // As read from jobs.db, oldest first.
  void Assign(const std::vector<hydra::v1::StepMetrics>& steps);
  // `first_step` and later ones are gone.
  void EraseFrom(int64_t first_step);
  // All but the newest are gone.
  void KeepNewestOnly();

  // At most `most` of the newest ones, oldest first.
  std::vector<hydra::v1::StepMetrics> Newest(int most) const;

 private:
  // A quarter of the proto's size.
  struct Step {
    int64_t step;
    double train_loss;
    int64_t time_ns;
    uint64_t sequence;
    int32_t skipped_blocks;
  };
  static Step FromProto(const hydra::v1::StepMetrics& step, uint64_t sequence);
  static hydra::v1::StepMetrics ToProto(const Step& step);

  std::vector<Step> steps_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_STEP_LOG_H_
