#ifndef HYDRA_SCHEDULER_CORE_STEP_LOG_H_
#define HYDRA_SCHEDULER_CORE_STEP_LOG_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "hydra/v1/status.pb.h"

namespace hydra {

// A job's newest steps, oldest first: at least the newest kKept, and all that
// jobs.db may not have yet. The older ones are in jobs.db alone, so that a job
// of a million steps takes no more memory than one of some hundred. Not
// thread-safe.
//
// A copy shares the older ones of them: it costs some pointers and at most a
// kilobyte, and may belong to another thread.
class StepLog {
 public:
  static constexpr size_t kKept = 100;

  bool empty() const { return newest_.empty(); }
  size_t size() const { return full_.size() * kPiece + newest_.size(); }
  // Require that it is not empty.
  hydra::v1::StepMetrics back() const { return ToProto(newest_.back()); }
  int64_t first_step() const {
    return (full_.empty() ? newest_ : *full_.front()).front().step;
  }

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

  // Of steps whose time on devices is known, the newest ones: as many as took
  // `least` together, or all, and how long that was.
  struct Recent {
    int64_t steps = 0;
    absl::Duration device;
  };
  Recent NewestFor(absl::Duration least) const;

  // At most `most` of the newest ones, oldest first.
  std::vector<hydra::v1::StepMetrics> Newest(int most) const;

 private:
  static constexpr size_t kPiece = 25;
  // A quarter of the proto's size.
  struct Step {
    int64_t step;
    double train_loss;
    int64_t time_ns;
    // 0: not known.
    int64_t device_ns;
    uint64_t sequence;
    // NaN: absent.
    double grad_norm;
    int32_t skipped_blocks;
    // Of the loss's scale, a power of two of at least 1; kNoScale: absent.
    int8_t scale_exponent;
    bool overflowed;
  };
  static constexpr int8_t kNoScale = -1;
  using Piece = std::vector<Step>;
  static Step FromProto(const hydra::v1::StepMetrics& step, uint64_t sequence);
  static hydra::v1::StepMetrics ToProto(const Step& step);

  // From the oldest one on.
  const Step& At(size_t index) const;
  void Append(const Step& step);

  // Each has kPiece steps, and none of them changes.
  std::vector<std::shared_ptr<const Piece>> full_;
  // At most kPiece; empty only if there are none at all.
  Piece newest_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_STEP_LOG_H_
