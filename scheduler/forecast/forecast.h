#ifndef HYDRA_SCHEDULER_FORECAST_FORECAST_H_
#define HYDRA_SCHEDULER_FORECAST_FORECAST_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "common/ids/ids.h"
#include "hydra/v1/status.pb.h"
#include "scheduler/policy/account.h"
#include "scheduler/policy/policy.h"
#include "scheduler/policy/share_ledger.h"

namespace hydra {

// What a forecast knows of a job that has not ended and is not paused. A value.
struct QueuedJob {
  JobId id;
  SweepId sweep;
  Account account;
  int priority = 0;
  absl::Time submitted;
  // What is left of it on one device, of wall time; early stopping may end it
  // before. None: not known yet.
  std::optional<absl::Duration> remaining;
  // That follows from the model's size alone: good for an order, and for no
  // time unless a step of another job of its sweep was measured.
  bool assumed = false;
  // What a step took over what was estimated before the first one. None: none
  // was measured.
  std::optional<double> measured_over_estimated;
  // It has its room in the pool.
  bool admitted = false;
  // A device has worked on its model.
  bool begun = false;
  // None: not known yet.
  std::optional<hydra::v1::PoolDemand> demand;
  // As Admission::Admit's.
  std::string base;
};

// What the core is configured with.
struct Machine {
  // As Admission takes them.
  int64_t promised_bytes = 0;
  int devices = 0;
  int lookahead = 0;
  ShareOptions shares;
};

// A machine and who waits for it, at a moment.
struct QueueSnapshot {
  Machine machine;
  absl::Time now;
  // See ReadyDevices.
  int ready_devices = 0;
  // As ShareLedger::Restore takes them.
  std::vector<ShareLedger::Use> uses;
  absl::Duration level;
  // By id.
  std::vector<QueuedJob> jobs;
};

struct Forecast {
  // When it comes to a device. None: it has.
  std::optional<absl::Time> start;
  absl::Time end;
};
using Forecasts = absl::flat_hash_map<JobId, Forecast>;
// What is forecast of a job, for whoever shows it. Thread-safe. None: nothing
// is.
using ForecastSource = std::function<std::optional<Forecast>(JobId)>;

// Devices that take tasks: their workers are ready, and nobody has drained
// them.
int ReadyDevices(const std::vector<hydra::v1::WorkerStatus>& workers);

// When each job starts and ends if nobody submits, pauses or resumes anything
// and all devices stay as they are. The rules are the core's, under a virtual
// clock: room in the pool is given out by Admission and WaitList, the account
// whose turn it is is ShareLedger's, and within an account the higher priority
// goes first, then the first one of `policy`. But device time is a fluid
// (job_flow.h): what takes turns goes on side by side, a job on one device at
// most. Quotas of the pool, room that is reclaimed, devices that a job cannot
// use, and the part that a lower priority gets beside a higher one are not
// looked at. Time goes in steps of a two-thousandth of what was looked ahead by
// then, where so much happens that smaller ones would be needed.
//
// Estimates of jobs of which no step was measured are corrected by what was
// measured of others of their sweep. A job of which the remaining time or the
// demand is not known yet takes as much as the others of its sweep have on
// average, or as all have: so it delays others, and has no forecast itself.
// Without such others it delays nobody. Nor is there a forecast of jobs for
// which room would never come, or that end more than ten years from now, or of
// any without a device.
//
// Pure. Takes time in the number of jobs, of accounts and of the steps, which
// are at most some times the jobs, and some ten thousand.
Forecasts ForecastOf(const QueueSnapshot& queue, const Policy& policy);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_FORECAST_FORECAST_H_
