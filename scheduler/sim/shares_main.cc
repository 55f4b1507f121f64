// How simulated users share simulated devices, with the real scheduler: device
// time by weights, the longest waits beside what docs/daemon.md promises, and
// what a sweep takes by Sharded-LRTF alone, and beside another user's jobs:
//
//   bazel run -c opt //scheduler/sim:shares_main -- --hours 4

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "common/ids/ids.h"
#include "common/status/proto_time.h"
#include "glog/logging.h"
#include "hydra/worker/v1/worker.pb.h"
#include "scheduler/core/account_of.h"
#include "scheduler/core/caller.h"
#include "scheduler/core/job.h"
#include "scheduler/core/new_job.h"
#include "scheduler/core/testing/small_job.h"
#include "scheduler/core/testing/world_jobs.h"
#include "scheduler/policy/account.h"
#include "scheduler/policy/job_view.h"
#include "scheduler/policy/policy.h"
#include "scheduler/policy/sharded_lrtf.h"
#include "scheduler/policy/share_order.h"
#include "scheduler/sim/sim_lanes.h"
#include "scheduler/sim/world.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

constexpr int64_t kForEver = 1'000'000'000'000;
// Four layers, a shard each.
constexpr int kTasksOfAStep = 7;
constexpr absl::Duration kSettling = absl::Minutes(10);

Caller UserOf(int number) { return Caller{static_cast<uid_t>(1000 + number)}; }

NewJob JobOf(int64_t steps) {
  NewJob job = SmallJob(steps);
  job.spec.mutable_train()->set_micro_batches_per_round(2);
  job.spec.mutable_checkpoint()->set_every_steps(0);
  job.spec.mutable_checkpoint()->set_every_minutes(15);
  return job;
}

std::vector<NewJob> JobsOf(int jobs, int64_t steps) {
  return std::vector<NewJob>(jobs, JobOf(steps));
}

World::Options OptionsOf(int devices) {
  World::Options options;
  options.workers = devices;
  options.pool_bytes = int64_t{512} << 20;
  return options;
}

// By job.
using TaskTimes = std::map<uint64_t, absl::Duration>;

// Devices whose tasks take those times, and nothing for copies. The times may
// grow while they work.
void SetTaskTimes(World& world, const TaskTimes* times) {
  LaneTimes lanes;
  lanes.compute = [times](const worker::v1::Task& task) {
    return times->at(task.job_id());
  };
  lanes.bytes_per_second = 1e18;
  world.setup().lanes = lanes;
}

// `jobs` of a user, which are the world's next ones from number `first` on.
void Submit(World& world, TaskTimes& times, uint64_t first,
            std::vector<NewJob> jobs, absl::Duration task, const Caller& user) {
  for (size_t i = 0; i < jobs.size(); ++i) times[first + i] = task;
  world.Submit(std::move(jobs), user);
}

absl::Duration DeviceTime(World& world, uint64_t first, int jobs) {
  absl::Duration time;
  for (int i = 0; i < jobs; ++i) {
    time += FromProto(JobIn(world, first + i).totals.device());
  }
  return time;
}

void RunFor(World& world, absl::Duration time) {
  const absl::Time end = world.now() + time;
  world.RunUntil([&] { return world.now() >= end; });
}

// --- Device time by weights ---

// Each user has four jobs that never end, and tasks twice as long as those of
// the one before.
void CompareWeights(const std::vector<double>& weights, int devices,
                    absl::Duration time) {
  constexpr int kJobs = 4;
  const int users = static_cast<int>(weights.size());
  const auto first_of = [&](int user) { return uint64_t{1} + user * kJobs; };
  World::Options options = OptionsOf(devices);
  for (int user = 0; user < users; ++user) {
    options.shares.weights[AccountOf(UserOf(user))] = weights[user];
  }
  TaskTimes times;
  World world(options);
  SetTaskTimes(world, &times);
  for (int user = 0; user < users; ++user) {
    Submit(world, times, first_of(user), JobsOf(kJobs, kForEver),
           absl::Milliseconds(500) * (1 << user), UserOf(user));
  }
  RunFor(world, kSettling);
  std::vector<absl::Duration> before;
  for (int user = 0; user < users; ++user) {
    before.push_back(DeviceTime(world, first_of(user), kJobs));
  }
  RunFor(world, time);
  std::vector<double> seconds;
  for (int user = 0; user < users; ++user) {
    seconds.push_back(absl::ToDoubleSeconds(
        DeviceTime(world, first_of(user), kJobs) - before[user]));
  }
  const double all = std::accumulate(seconds.begin(), seconds.end(), 0.0);
  const double all_weights =
      std::accumulate(weights.begin(), weights.end(), 0.0);
  std::vector<std::string> parts;
  double worst = 0;
  for (int user = 0; user < users; ++user) {
    const double wanted = weights[user] / all_weights;
    const double part = seconds[user] / all;
    parts.push_back(absl::StrFormat("%.4f of %.4f", part, wanted));
    worst = std::max(worst, std::abs(part / wanted - 1));
  }
  std::printf("| %s | %d | %s | %.2f%% | %.1f%% |\n",
              absl::StrJoin(weights, ":").c_str(), devices,
              absl::StrJoin(parts, ", ").c_str(), 100 * worst,
              100 * all / absl::ToDoubleSeconds(time) / devices);
}

// --- Waits ---

std::string Waits(std::vector<absl::Duration> waits, absl::Duration bound) {
  std::sort(waits.begin(), waits.end());
  return absl::StrFormat("%d | %.2f | %.2f | %.2f", waits.size(),
                         absl::ToDoubleSeconds(waits[waits.size() / 2]),
                         absl::ToDoubleSeconds(waits.back()),
                         absl::ToDoubleSeconds(bound));
}

// How long the first task of a user who comes waits for a device, beside
// another user's jobs without an end.
void CompareArrivals(int devices, absl::Duration task, int arrivals) {
  constexpr int kJobs = 8;
  World::Options options = OptionsOf(devices);
  TaskTimes times;
  World world(options);
  SetTaskTimes(world, &times);
  Submit(world, times, 1, JobsOf(kJobs, kForEver), task, UserOf(0));
  RunFor(world, kSettling);
  std::vector<absl::Duration> waits;
  for (int i = 0; i < arrivals; ++i) {
    const uint64_t id = kJobs + 1 + i;
    Submit(world, times, id, JobsOf(1, 2), task, UserOf(1 + i));
    const Job& job = JobIn(world, id);
    world.RunUntil([&] { return !JobIn(world, id).outstanding.empty(); });
    const auto first = JobIn(world, id).outstanding.front().id;
    world.RunUntil([&] {
      const Job& now = JobIn(world, id);
      return std::none_of(
          now.outstanding.begin(), now.outstanding.end(),
          [&](const OutstandingTask& held) { return held.id == first; });
    });
    waits.push_back(world.now() - job.submitted_at - task);
    world.RunUntil([&] { return JobIn(world, id).ended(); });
    // Whenever in a step of the others the next one comes.
    RunFor(world, absl::Seconds(61) + i * task / 7);
  }
  absl::Duration bound = (options.lookahead + 1) * task;
  if (kTasksOfAStep * task <= ShareOrder::kShortStep) {
    bound += kTasksOfAStep * task;
  }
  std::printf("| a user who comes, tasks of %.2f s, devices: %d | %s |\n",
              absl::ToDoubleSeconds(task), devices,
              Waits(std::move(waits), bound).c_str());
}

// A job behind two of the same user that never end and have a higher priority.
void ComparePriorities(int priority, absl::Duration time) {
  constexpr absl::Duration kTask = absl::Seconds(1);
  const World::Options options = OptionsOf(1);
  TaskTimes times;
  World world(options);
  SetTaskTimes(world, &times);
  std::vector<NewJob> jobs = JobsOf(3, kForEver);
  for (size_t i : {1, 2}) jobs[i].spec.set_priority(priority);
  Submit(world, times, 1, std::move(jobs), kTask, UserOf(0));
  // It is behind those tasks that all jobs begin with.
  RunFor(world, kSettling);
  std::vector<absl::Duration> waits;
  const absl::Time end = world.now() + time;
  absl::Duration device = DeviceTime(world, 1, 1);
  absl::Time since = absl::InfinitePast();
  world.RunUntil([&] {
    if (const absl::Duration now = DeviceTime(world, 1, 1); now != device) {
      device = now;
      if (since != absl::InfinitePast()) {
        waits.push_back(world.now() - since - kTask);
      }
      since = world.now();
    }
    return world.now() >= end;
  });
  std::printf("| a job %d behind in priority, tasks of 1 s | %s |\n", priority,
              Waits(std::move(waits), priority * ShareOrder::kAgeing +
                                          (options.lookahead + 1) * kTask)
                  .c_str());
}

// --- A sweep ---

// Of its jobs.
std::vector<int64_t> StepsOfSweep() {
  std::vector<int64_t> steps;
  for (int64_t next = 40; next < 280; next += 20) steps.push_back(next);
  return steps;
}

// Of the sweep's tasks alone, each as soon as a device is free for it: in the
// order of Sharded-LRTF, or in that of shares around it.
double ListMakespan(int devices, absl::Duration task, bool with_shares) {
  const Account account = AccountOf(UserOf(0));
  ShardedLrtf lrtf;
  ShareOrder shares(&lrtf, {});
  Policy& policy = with_shares ? static_cast<Policy&>(shares) : lrtf;
  const absl::Time begin = absl::UnixEpoch();
  absl::Time now = begin;
  std::vector<int64_t> left;
  for (int64_t steps : StepsOfSweep()) left.push_back(steps * kTasksOfAStep);
  const auto make_runnable = [&](size_t job) {
    if (left[job] == 0) return;
    JobView view;
    view.id = JobId(job);
    view.remaining = left[job] * task;
    view.submitted = begin;
    view.step = kTasksOfAStep * task;
    view.account = account;
    policy.Upsert(view);
  };
  for (size_t job = 0; job < left.size(); ++job) make_runnable(job);
  // The next to end first.
  std::set<std::pair<absl::Time, size_t>> running;
  while (true) {
    while (static_cast<int>(running.size()) < devices) {
      const std::optional<JobId> best = policy.Best();
      if (!best.has_value()) break;
      policy.Remove(*best);
      if (with_shares) shares.HandedOut(account, 0, task, now);
      running.insert({now + task, best->value()});
    }
    if (running.empty()) return absl::ToDoubleSeconds(now - begin);
    const auto [end, job] = *running.begin();
    running.erase(running.begin());
    now = end;
    --left[job];
    if (with_shares) {
      shares.TakeBack(account, task);
      shares.Charge(account, task, now);
    }
    make_runnable(job);
  }
}

// In a world, from the sweep's submission to its end, on `devices`; in the
// middle of `others` that never end, of another user.
double MakespanOf(int devices, int others, absl::Duration task) {
  TaskTimes times;
  World world(OptionsOf(devices));
  SetTaskTimes(world, &times);
  if (others > 0) {
    Submit(world, times, 1, JobsOf(others, kForEver), task, UserOf(1));
    RunFor(world, kSettling);
  }
  std::vector<NewJob> sweep;
  for (int64_t steps : StepsOfSweep()) sweep.push_back(JobOf(steps));
  const uint64_t first = others + 1;
  const size_t jobs = sweep.size();
  const absl::Time begin = world.now();
  Submit(world, times, first, std::move(sweep), task, UserOf(0));
  world.RunUntil([&] {
    for (size_t i = 0; i < jobs; ++i) {
      if (!JobIn(world, first + i).ended()) return false;
    }
    return true;
  });
  return absl::ToDoubleSeconds(world.now() - begin);
}

void CompareSweep(absl::Duration task) {
  const double pure = ListMakespan(4, task, /*with_shares=*/false);
  const double shared = ListMakespan(4, task, /*with_shares=*/true);
  const double alone = MakespanOf(4, 0, task);
  const double on_half = MakespanOf(2, 0, task);
  const double beside = MakespanOf(4, 8, task);
  std::printf("| %.1f | %.1f | %.1f (%.4f) | %.0f | %.0f | %.0f (%.4f) |\n",
              absl::ToDoubleSeconds(task), pure, shared, shared / pure, alone,
              on_half, beside, beside / on_half);
}

int Main(int argc, char** argv) {
  double hours = 4;
  int arrivals = 100;
  CLI::App app("Simulates users who share devices.");
  app.add_option("--hours", hours, "of the devices' time")
      ->capture_default_str();
  app.add_option("--arrivals", arrivals, "of users")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  const absl::Duration time = absl::Hours(hours);
  std::printf(
      "| weights | devices | part of the device time, of what the weight says "
      "| furthest from it | devices in use |\n"
      "| --- | --- | --- | --- | --- |\n");
  for (int devices : {1, 4}) {
    for (const std::vector<double>& weights :
         std::vector<std::vector<double>>{{1, 1}, {1, 3}, {1, 2, 5}}) {
      CompareWeights(weights, devices, time);
    }
  }
  std::printf(
      "\n| who waits | waits | half, s | longest, s | bound, s |\n"
      "| --- | --- | --- | --- | --- |\n");
  for (int devices : {1, 4}) {
    for (double seconds : {0.2, 1.0, 10.0}) {
      CompareArrivals(devices, absl::Seconds(seconds), arrivals);
    }
  }
  for (int priority : {1, 5, 10}) ComparePriorities(priority, time);
  std::printf(
      "\n| tasks, s | a sweep's tasks on 4 devices, by Sharded-LRTF alone, s | "
      "with shares around it | in a world: alone on 4 devices | alone on 2 | "
      "on 4, beside another's jobs |\n"
      "| --- | --- | --- | --- | --- | --- |\n");
  for (double seconds : {0.2, 2.0}) CompareSweep(absl::Seconds(seconds));
  return 0;
}

}  // namespace
}  // namespace hydra

int main(int argc, char** argv) {
  google::InitGoogleLogging(argv[0]);
  FLAGS_logtostderr = true;
  return hydra::Main(argc, argv);
}
