#include "scheduler/forecast/forecast.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <utility>

#include "scheduler/core/admission.h"
#include "scheduler/core/wait_list.h"
#include "scheduler/forecast/job_flow.h"
#include "scheduler/policy/job_view.h"

namespace hydra {
namespace {

constexpr absl::Duration kFarthest = absl::Hours(24 * 365 * 10);
constexpr double kShortestStep = 0.001;
// Of what was looked ahead.
constexpr double kStepPart = 1.0 / 2000;

// The mean of some numbers, of each sweep and of all.
class Means {
 public:
  void Add(SweepId sweep, double number) {
    for (Sum* sum : {&by_sweep_[sweep], &all_}) {
      sum->total += number;
      ++sum->count;
    }
  }
  std::optional<double> OfSweep(SweepId sweep) const {
    const auto own = by_sweep_.find(sweep);
    if (own == by_sweep_.end()) return std::nullopt;
    return own->second.Mean();
  }
  // Of the sweep, or of all if it has none.
  std::optional<double> Of(SweepId sweep) const {
    const std::optional<double> own = OfSweep(sweep);
    if (own.has_value() || all_.count == 0) return own;
    return all_.Mean();
  }

 private:
  struct Sum {
    double total = 0;
    int64_t count = 0;

    double Mean() const { return total / static_cast<double>(count); }
  };
  absl::flat_hash_map<SweepId, Sum> by_sweep_;
  Sum all_;
};

struct Left {
  absl::Duration time;
  // It is what others have.
  bool guessed = false;
};

// What the jobs have left; of those that are not there, nothing is known.
absl::flat_hash_map<JobId, Left> LeftOf(const QueueSnapshot& queue) {
  Means corrections;
  for (const QueuedJob& job : queue.jobs) {
    if (!job.measured_over_estimated.has_value()) continue;
    corrections.Add(job.sweep, *job.measured_over_estimated);
  }
  absl::flat_hash_map<JobId, Left> left;
  Means known;
  for (const QueuedJob& job : queue.jobs) {
    if (!job.remaining.has_value()) continue;
    double correction = 1;
    if (!job.measured_over_estimated.has_value()) {
      const std::optional<double> measured = corrections.OfSweep(job.sweep);
      if (job.assumed && !measured.has_value()) continue;
      correction = measured.value_or(1);
    }
    const absl::Duration time = *job.remaining * correction;
    left[job.id] = {time};
    known.Add(job.sweep, absl::ToDoubleSeconds(time));
  }
  for (const QueuedJob& job : queue.jobs) {
    const std::optional<double> guess = known.Of(job.sweep);
    if (!guess.has_value()) continue;
    left.try_emplace(job.id, Left{absl::Seconds(*guess), /*guessed=*/true});
  }
  return left;
}

// The machine from now on.
class Course {
 public:
  Course(const QueueSnapshot& queue, const Policy& policy)
      : queue_(queue),
        policy_(policy),
        admission_(queue.machine.promised_bytes, queue.machine.devices,
                   queue.machine.lookahead),
        ledger_(queue.machine.shares),
        left_(LeftOf(queue)) {
    ledger_.Restore(queue.uses, queue.level, queue.now, queue.now);
    Means demands;
    Means writes;
    for (const QueuedJob& job : queue.jobs) {
      if (!job.demand.has_value()) continue;
      demands.Add(job.sweep, static_cast<double>(job.demand->total_bytes()));
      writes.Add(job.sweep,
                 static_cast<double>(job.demand->largest_write_bytes()));
    }
    for (const QueuedJob& job : queue.jobs) {
      if (!left_.contains(job.id)) continue;
      jobs_[job.id] = &job;
      if (job.demand.has_value()) continue;
      hydra::v1::PoolDemand& guess = guesses_[job.id];
      guess.set_total_bytes(
          static_cast<int64_t>(demands.Of(job.sweep).value_or(0)));
      guess.set_largest_write_bytes(
          static_cast<int64_t>(writes.Of(job.sweep).value_or(0)));
    }
  }

  Forecasts Run() {
    for (const QueuedJob& job : queue_.jobs) {
      // The core gives up what can never have room.
      if (!jobs_.contains(job.id) ||
          !admission_.CanEverFit(DemandOf(job)).ok()) {
        continue;
      }
      if (job.admitted) {
        admission_.Readmit(job.id, DemandOf(job), job.base);
        Begin(job);
      } else {
        room_.WaitForRoom(job.id, job.account, Now());
      }
    }
    room_.OfferRoom();
    GiveRoom();
    while (running_ > 0 && Now() - queue_.now < kFarthest) Step();
    return std::move(forecasts_);
  }

 private:
  // One account's jobs in the pool.
  struct Line {
    double weight = 1;
    // The higher priority first.
    std::map<int, JobFlow, std::greater<int>> levels;
    // Of them all.
    size_t jobs = 0;
    // Devices that it has.
    double devices = 0;
  };

  absl::Time Now() const { return queue_.now + absl::Seconds(elapsed_); }

  const hydra::v1::PoolDemand& DemandOf(const QueuedJob& job) const {
    return job.demand.has_value() ? *job.demand : guesses_.at(job.id);
  }

  void Begin(const QueuedJob& job) {
    Line& line = lines_[job.account];
    if (line.jobs == 0) Join(job.account, line);
    JobView view;
    view.id = job.id;
    view.remaining = left_.at(job.id).time;
    view.submitted = job.submitted;
    view.account = job.account;
    view.priority = job.priority;
    line.levels.try_emplace(job.priority, &policy_).first->second.Add(view);
    ++line.jobs;
    ++running_;
  }

  // As one that waits for a device again, or for the first time.
  void Join(Account account, Line& line) {
    const auto& weights = queue_.machine.shares.weights;
    const auto weight = weights.find(account);
    if (weight != weights.end()) line.weight = weight->second;
    const Account* least = nullptr;
    for (const auto& [other, has] : lines_) {
      if (has.jobs == 0 || other == account) continue;
      if (least == nullptr || ledger_.Before(other, *least)) least = &other;
    }
    ledger_.Join(account, least, Now());
  }

  // As JobStart gives it out.
  void GiveRoom() {
    while (room_.has_next()) {
      const std::optional<JobId> next = room_.Take();
      if (!next.has_value()) return;
      const QueuedJob& job = *jobs_.at(*next);
      if (room_.IsRoomKept(job.id, job.account, Now()) ||
          !admission_.Admit(job.id, DemandOf(job), job.base, /*kept_bytes=*/0)
               .ok()) {
        room_.WaitForRoom(job.id, job.account, Now());
        continue;
      }
      room_.NoteRoomTaken(job.account);
      Begin(job);
    }
  }

  // The accounts that have jobs, the one whose turn it is first.
  std::vector<Account> InTurn() const {
    std::vector<Account> accounts;
    for (const auto& [account, line] : lines_) {
      if (line.jobs > 0) accounts.push_back(account);
    }
    std::sort(accounts.begin(), accounts.end(),
              [this](Account a, Account b) { return ledger_.Before(a, b); });
    return accounts;
  }

  // Devices for accounts whose turns alternate, by weight; none gets more than
  // it has jobs. What is left of `devices`.
  double ShareOut(std::vector<Account> accounts, double devices) {
    while (!accounts.empty()) {
      double weights = 0;
      for (Account account : accounts) weights += lines_.at(account).weight;
      const double unit = devices / weights;
      const auto has_enough = [&](Account account) {
        const Line& line = lines_.at(account);
        return static_cast<double>(line.jobs) <= unit * line.weight;
      };
      const auto rest =
          std::partition(accounts.begin(), accounts.end(), has_enough);
      if (rest == accounts.begin()) {
        for (Account account : accounts) {
          Line& line = lines_.at(account);
          line.devices = unit * line.weight;
        }
        return 0;
      }
      for (auto account = accounts.begin(); account != rest; ++account) {
        Line& line = lines_.at(*account);
        line.devices = static_cast<double>(line.jobs);
        devices -= line.devices;
      }
      accounts.erase(accounts.begin(), rest);
    }
    return std::max(devices, 0.0);
  }

  double ShortestStep() const {
    return std::max(kShortestStep, elapsed_ * kStepPart);
  }

  // Who has which part of the devices from now on.
  void Serve(const std::vector<Account>& in_turn) {
    // Nearer ones alternate.
    const absl::Duration near =
        absl::Seconds(2 * ShortestStep() * queue_.ready_devices);
    double devices = queue_.ready_devices;
    for (size_t first = 0; first < in_turn.size();) {
      size_t end = first + 1;
      while (end < in_turn.size() &&
             ledger_.LeadOf(in_turn[end], in_turn[first]) <= near) {
        ++end;
      }
      const auto begin = in_turn.begin();
      devices = ShareOut({begin + static_cast<std::ptrdiff_t>(first),
                          begin + static_cast<std::ptrdiff_t>(end)},
                         devices);
      first = end;
    }
    std::vector<JobId> started;
    for (Account account : in_turn) {
      Line& line = lines_.at(account);
      double left = line.devices;
      for (auto& [priority, jobs] : line.levels) {
        const double own = std::min(left, static_cast<double>(jobs.size()));
        jobs.Serve(own, &started);
        left -= own;
      }
    }
    for (JobId id : started) {
      const QueuedJob& job = *jobs_.at(id);
      if (!job.begun) starts_.try_emplace(id, Now());
    }
  }

  // Until who has what changes.
  double SecondsToChange(const std::vector<Account>& in_turn) const {
    double least = std::numeric_limits<double>::infinity();
    for (Account account : in_turn) {
      for (const auto& [priority, jobs] : lines_.at(account).levels) {
        least = std::min(least, jobs.SecondsToChange());
      }
    }
    // One that catches up with the next.
    for (size_t i = 0; i + 1 < in_turn.size(); ++i) {
      const Line& behind = lines_.at(in_turn[i]);
      const Line& ahead = lines_.at(in_turn[i + 1]);
      const double lead =
          absl::ToDoubleSeconds(ledger_.LeadOf(in_turn[i + 1], in_turn[i])) /
          ahead.weight;
      const double closer =
          behind.devices / behind.weight - ahead.devices / ahead.weight;
      if (lead > 0 && closer > 0) least = std::min(least, lead / closer);
    }
    return least;
  }

  void Step() {
    const std::vector<Account> in_turn = InTurn();
    Serve(in_turn);
    const double seconds = std::max(SecondsToChange(in_turn), ShortestStep());
    elapsed_ += seconds;
    std::vector<JobId> ended;
    for (Account account : in_turn) {
      Line& line = lines_.at(account);
      ledger_.Charge(account, absl::Seconds(seconds * line.devices), Now());
      line.devices = 0;
      for (auto& [priority, jobs] : line.levels) jobs.Advance(seconds, &ended);
    }
    for (JobId id : ended) End(*jobs_.at(id));
    if (!ended.empty()) {
      room_.OfferRoom();
      GiveRoom();
    }
  }

  void End(const QueuedJob& job) {
    --lines_.at(job.account).jobs;
    --running_;
    admission_.Release(job.id);
    if (left_.at(job.id).guessed || Now() - queue_.now > kFarthest) return;
    Forecast& forecast = forecasts_[job.id];
    forecast.end = Now();
    const auto start = starts_.find(job.id);
    if (start != starts_.end()) forecast.start = start->second;
  }

  const QueueSnapshot& queue_;
  const Policy& policy_;
  Admission admission_;
  ShareLedger ledger_;
  WaitList room_;
  const absl::flat_hash_map<JobId, Left> left_;
  // Those that take part.
  absl::flat_hash_map<JobId, const QueuedJob*> jobs_;
  absl::flat_hash_map<JobId, hydra::v1::PoolDemand> guesses_;
  std::map<Account, Line> lines_;
  absl::flat_hash_map<JobId, absl::Time> starts_;
  Forecasts forecasts_;
  double elapsed_ = 0;
  // In the pool.
  int64_t running_ = 0;
};

}  // namespace

int ReadyDevices(const std::vector<hydra::v1::WorkerStatus>& workers) {
  return static_cast<int>(
      std::count_if(workers.begin(), workers.end(), [](const auto& worker) {
        return worker.state() == hydra::v1::WORKER_STATE_READY &&
               !worker.draining();
      }));
}

Forecasts ForecastOf(const QueueSnapshot& queue, const Policy& policy) {
  if (queue.ready_devices <= 0) return {};
  return Course(queue, policy).Run();
}

}  // namespace hydra
