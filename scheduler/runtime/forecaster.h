#ifndef HYDRA_SCHEDULER_RUNTIME_FORECASTER_H_
#define HYDRA_SCHEDULER_RUNTIME_FORECASTER_H_

#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/ids/ids.h"
#include "scheduler/forecast/forecast.h"
#include "scheduler/policy/policy.h"
#include "scheduler/policy/share_ledger.h"
#include "scheduler/runtime/read_model.h"

namespace hydra {

// Keeps a forecast of all jobs that have not ended, for whoever shows jobs. It
// is made anew on a thread of its own, of what the read model shows: every two
// seconds if anything changed, every minute if not, and never for more than a
// hundredth of the time. So whoever asks waits for nothing, and the core's
// thread is asked for nothing but what accounts have used. Thread-safe.
class Forecaster {
 public:
  // What accounts have used, as of the ledger's now, and how they share the
  // devices, which a reload may have changed. None: nobody can say any more.
  struct Used {
    std::vector<ShareLedger::Use> uses;
    absl::Duration level;
    ShareOptions shares;
  };
  using AskUsed = std::function<std::optional<Used>()>;

  // `policy`: orders jobs as the core's does, and holds none. `model` must
  // outlive this.
  Forecaster(const ReadModel* model, std::unique_ptr<const Policy> policy,
             Machine machine, AskUsed ask_used);
  // Stop().
  ~Forecaster();

  // Begins to look. Call once.
  void Start() ABSL_LOCKS_EXCLUDED(mu_);
  // Waits for a forecast that is being made.
  void Stop() ABSL_LOCKS_EXCLUDED(mu_);

  // Makes one of what the read model shows now.
  void Make(absl::Time now) ABSL_LOCKS_EXCLUDED(mu_);

  // By the newest one. None: it does not say.
  std::optional<Forecast> Of(JobId job) const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  void Loop() ABSL_LOCKS_EXCLUDED(mu_);
  // None: nobody can say what accounts have used.
  std::optional<QueueSnapshot> Snapshot(absl::Time now) const;
  // Whether to stop; waits for that.
  bool WaitForStop(absl::Duration patience) ABSL_LOCKS_EXCLUDED(mu_);

  const ReadModel* const model_;
  const std::unique_ptr<const Policy> policy_;
  const Machine machine_;
  const AskUsed ask_used_;

  mutable absl::Mutex mu_;
  bool stopping_ ABSL_GUARDED_BY(mu_) = false;
  std::shared_ptr<const Forecasts> newest_ ABSL_GUARDED_BY(mu_) =
      std::make_shared<const Forecasts>();
  std::thread thread_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_RUNTIME_FORECASTER_H_
