#include "scheduler/policy/share_order.h"

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "scheduler/policy/account.h"
#include "scheduler/policy/fifo.h"
#include "scheduler/policy/sharded_lrtf.h"
#include "scheduler/policy/share_ledger.h"
#include "scheduler/policy/testing/policy_contract.h"

namespace hydra {
namespace {

template <typename Inside>
const Policy* Shared() {
  static const auto* const policy = new Inside();
  return policy;
}

struct SharedLrtf : ShareOrder {
  SharedLrtf() : ShareOrder(Shared<ShardedLrtf>(), {}) {}
};
struct SharedFifo : ShareOrder {
  SharedFifo() : ShareOrder(Shared<Fifo>(), {}) {}
};
INSTANTIATE_TYPED_TEST_SUITE_P(SharedLrtf, PolicyContract, SharedLrtf);
INSTANTIATE_TYPED_TEST_SUITE_P(SharedFifo, PolicyContract, SharedFifo);

constexpr Account kAnn{1};
constexpr Account kBob{2};
constexpr Account kCarol{3};

const absl::Time kStart = absl::FromUnixSeconds(1'000'000);

JobView View(uint64_t job, Account account, absl::Duration remaining,
             int priority = 0, absl::Time since = kStart) {
  JobView view{JobId(job), remaining, absl::UnixEpoch()};
  view.account = account;
  view.priority = priority;
  view.waits_since = since;
  return view;
}

std::vector<uint64_t> InOrder(const Policy& policy) {
  std::vector<uint64_t> jobs;
  policy.ForEachInOrder([&](const JobView& job) {
    jobs.push_back(job.id.value());
    return true;
  });
  return jobs;
}

// A task of the account is done, which was promised before.
void Work(ShareOrder& order, Account account, absl::Duration took,
          absl::Time now = kStart, int priority = 0) {
  order.HandedOut(account, priority, took, now);
  order.TakeBack(account, took);
  order.Charge(account, took, now);
}

TEST(ShareOrderTest, JobsOfOneAccountAreInTheOrderOfThePolicy) {
  std::mt19937_64 random(7);
  SharedLrtf order;
  ShardedLrtf lrtf;
  for (int i = 0; i < 5'000; ++i) {
    JobView view = View(random() % 50, kAnn, absl::Seconds(random() % 20));
    view.step = absl::Seconds(random() % 3);
    if (random() % 4 == 0) {
      order.Remove(view.id);
      lrtf.Remove(view.id);
    } else {
      order.Upsert(view);
      lrtf.Upsert(view);
    }
    Work(order, kAnn, absl::Seconds(random() % 3));
    ASSERT_EQ(InOrder(order), InOrder(lrtf));
    const JobView other = View(99, kAnn, absl::Seconds(random() % 20));
    ASSERT_EQ(order.Before(view, other), lrtf.Before(view, other));
    ASSERT_EQ(order.BeforeByFar(other, view), lrtf.BeforeByFar(other, view));
    ASSERT_EQ(order.MayYield(other, view), lrtf.MayYield(other, view));
  }
}

TEST(ShareOrderTest, AccountsGoBeforeJobs) {
  SharedLrtf order;
  order.Upsert(View(1, kAnn, absl::Hours(1)));
  order.Upsert(View(2, kAnn, absl::Hours(2)));
  order.Upsert(View(3, kBob, absl::Seconds(1)));
  EXPECT_EQ(InOrder(order), (std::vector<uint64_t>{2, 1, 3}));
  order.HandedOut(kAnn, 0, absl::Seconds(1), kStart);
  EXPECT_EQ(InOrder(order), (std::vector<uint64_t>{3, 2, 1}));
  EXPECT_TRUE(order.Before(View(3, kBob, absl::Seconds(1)),
                           View(2, kAnn, absl::Hours(2))));
  // It came to nothing, and took no time.
  order.TakeBack(kAnn, absl::Seconds(1));
  EXPECT_EQ(InOrder(order), (std::vector<uint64_t>{2, 1, 3}));
}

TEST(ShareOrderTest, WhatFailedIsChargedToo) {
  SharedLrtf order;
  order.Upsert(View(1, kAnn, absl::Hours(1)));
  order.Upsert(View(3, kBob, absl::Seconds(1)));
  order.Charge(kAnn, absl::Seconds(1), kStart);
  EXPECT_EQ(InOrder(order), (std::vector<uint64_t>{3, 1}));
}

// After a thousand half-lives nothing is left of what was used.
TEST(ShareOrderTest, AccountsStandInOrderHoweverLongNothingHappened) {
  ShareOptions options;
  options.half_life = absl::Minutes(1);
  ShareOrder order(Shared<ShardedLrtf>(), options);
  Work(order, kAnn, absl::Seconds(3));
  Work(order, kBob, absl::Seconds(2));
  Work(order, kCarol, absl::Seconds(1));
  order.Upsert(View(1, kAnn, absl::Hours(1)));
  order.Upsert(View(2, kBob, absl::Hours(1)));
  order.Upsert(View(3, kCarol, absl::Hours(1)));
  ASSERT_EQ(InOrder(order), (std::vector<uint64_t>{3, 2, 1}));
  const absl::Time later = kStart + absl::Hours(48);
  order.Charge(kBob, absl::Seconds(1), later);
  EXPECT_EQ(InOrder(order), (std::vector<uint64_t>{1, 3, 2}));
  order.Charge(kAnn, absl::Seconds(2), later);
  EXPECT_EQ(InOrder(order), (std::vector<uint64_t>{3, 2, 1}));
  order.Remove(JobId(3));
  EXPECT_EQ(InOrder(order), (std::vector<uint64_t>{2, 1}));
}

// --- What a device is inside of ---

TEST(ShareOrderTest, AShortStepEndsBeforeAnothersTurn) {
  SharedLrtf order;
  Work(order, kAnn, absl::Seconds(2));
  Work(order, kBob, absl::Seconds(1));
  JobView inside = View(1, kAnn, absl::Hours(1));
  const JobView first = View(2, kBob, absl::Hours(1));
  inside.step = absl::Seconds(2);
  EXPECT_FALSE(order.BeforeByFar(first, inside));
  EXPECT_TRUE(order.MayYield(first, inside));
  // Its account is ahead by more than that step.
  inside.step = absl::Milliseconds(500);
  EXPECT_TRUE(order.BeforeByFar(first, inside));
  EXPECT_FALSE(order.MayYield(first, inside));
  // It takes too long.
  inside.step = absl::Milliseconds(2001);
  EXPECT_TRUE(order.BeforeByFar(first, inside));
  EXPECT_FALSE(order.MayYield(first, inside));
}

TEST(ShareOrderTest, OneWithoutAnEstimateDoesNotWaitForAStep) {
  SharedLrtf order;
  Work(order, kAnn, absl::Seconds(2));
  Work(order, kBob, absl::Seconds(1));
  JobView inside = View(1, kAnn, absl::Hours(1));
  inside.step = absl::Seconds(2);
  EXPECT_TRUE(
      order.BeforeByFar(View(2, kBob, absl::InfiniteDuration()), inside));
}

// --- Priorities ---

TEST(ShareOrderTest, AHigherPriorityGoesFirstWithinItsAccountAlone) {
  SharedLrtf order;
  order.Upsert(View(1, kAnn, absl::Hours(9), 0));
  order.Upsert(View(2, kAnn, absl::Hours(1), 5));
  order.Upsert(View(3, kAnn, absl::Hours(2), 5));
  order.Upsert(View(4, kBob, absl::Hours(1), 100));
  EXPECT_EQ(InOrder(order), (std::vector<uint64_t>{3, 2, 1, 4}));
  const JobView low = View(1, kAnn, absl::Hours(9), 0);
  const JobView high = View(2, kAnn, absl::Hours(1), 5);
  EXPECT_TRUE(order.BeforeByFar(high, low));
  EXPECT_FALSE(order.MayYield(high, low));
  EXPECT_FALSE(order.BeforeByFar(low, high));
}

TEST(ShareOrderTest, AnotherPriorityPutsAJobElsewhere) {
  SharedLrtf order;
  order.Upsert(View(1, kAnn, absl::Hours(9), 0));
  order.Upsert(View(2, kAnn, absl::Hours(1), 0));
  order.Upsert(View(2, kAnn, absl::Hours(1), 1));
  EXPECT_EQ(InOrder(order), (std::vector<uint64_t>{2, 1}));
  order.Remove(JobId(2));
  EXPECT_EQ(InOrder(order), (std::vector<uint64_t>{1}));
}

// The bound: ten seconds for each number between the two.
TEST(ShareOrderTest, ALowerPriorityGetsATaskAfterItsTime) {
  for (int priority : {1, 6, 100}) {
    SharedLrtf order;
    absl::Time now = kStart;
    order.Upsert(View(1, kAnn, absl::Hours(9), 0, now));
    absl::Time low_served = now;
    absl::Duration longest;
    int low_tasks = 0;
    uint64_t next = 2;
    // There is always a new one of the high priority.
    order.Upsert(View(next, kAnn, absl::Hours(1), priority, now));
    for (int i = 0; i < 5'000; ++i) {
      const JobId best = *order.Best();
      const bool low = best == JobId(1);
      order.HandedOut(kAnn, low ? 0 : priority, absl::Seconds(1), now);
      order.Remove(best);
      if (low) {
        ++low_tasks;
        longest = std::max(longest, now - low_served);
        low_served = now;
      }
      now += absl::Seconds(1);
      order.TakeBack(kAnn, absl::Seconds(1));
      order.Charge(kAnn, absl::Seconds(1), now);
      if (low) {
        order.Upsert(View(1, kAnn, absl::Hours(9), 0, now));
      } else {
        order.Upsert(View(++next, kAnn, absl::Hours(1), priority, now));
      }
    }
    EXPECT_GE(low_tasks, 5'000 / (10 * priority + 3)) << priority;
    EXPECT_LE(low_tasks, 5'000 / (10 * priority) + 1) << priority;
    EXPECT_LE(longest, priority * ShareOrder::kAgeing + absl::Seconds(3));
  }
}

// --- Shares over time ---

// Accounts whose jobs always have a next task, on devices that take one after
// the other.
class Machine {
 public:
  Machine(int devices, ShareOptions options)
      : order_(Shared<ShardedLrtf>(), std::move(options)), devices_(devices) {}

  void Add(Account account, int jobs, absl::Duration task) {
    for (int i = 0; i < jobs; ++i) {
      jobs_[++last_job_] = {account, task};
      Enqueue(last_job_);
    }
  }
  // A device takes its next task as soon as it can.
  void RunFor(absl::Duration time) {
    const absl::Time end = now_ + time;
    while (true) {
      for (Device& device : devices_) {
        if (device.job == 0) Begin(device);
      }
      const Device* next = nullptr;
      for (const Device& device : devices_) {
        if (device.job != 0 && (next == nullptr || device.ends < next->ends)) {
          next = &device;
        }
      }
      if (next == nullptr || next->ends > end) break;
      End(devices_[next - devices_.data()]);
    }
    now_ = end;
  }
  absl::Duration used(Account account) { return used_[account]; }
  absl::Duration first_wait(Account account) const {
    return first_waits_.at(account);
  }

 private:
  struct Job {
    Account account;
    absl::Duration task;
  };
  struct Device {
    uint64_t job = 0;
    absl::Time ends;
  };
  void Enqueue(uint64_t job) {
    order_.Upsert(View(job, jobs_[job].account, absl::Hours(1), 0, now_));
    came_.emplace(jobs_[job].account, now_);
  }
  void Begin(Device& device) {
    const std::optional<JobId> best = order_.Best();
    if (!best.has_value()) return;
    const Job& job = jobs_[best->value()];
    order_.HandedOut(job.account, 0, job.task, now_);
    order_.Remove(*best);
    first_waits_.emplace(job.account, now_ - came_.at(job.account));
    device = {best->value(), now_ + job.task};
  }
  void End(Device& device) {
    now_ = device.ends;
    const Job& job = jobs_[device.job];
    order_.TakeBack(job.account, job.task);
    order_.Charge(job.account, job.task, now_);
    used_[job.account] += job.task;
    Enqueue(std::exchange(device.job, 0));
  }

  ShareOrder order_;
  std::vector<Device> devices_;
  std::map<uint64_t, Job> jobs_;
  uint64_t last_job_ = 0;
  absl::Time now_ = kStart;
  std::map<Account, absl::Duration> used_;
  std::map<Account, absl::Time> came_;
  std::map<Account, absl::Duration> first_waits_;
};

TEST(ShareOrderTest, DeviceTimeGoesByWeightsWhateverTheNumbersOfJobs) {
  ShareOptions options;
  options.weights[kBob] = 3;
  Machine machine(/*devices=*/4, options);
  machine.Add(kAnn, /*jobs=*/100, absl::Milliseconds(70));
  machine.Add(kBob, /*jobs=*/7, absl::Milliseconds(900));
  machine.RunFor(absl::Hours(1));
  const double ratio =
      absl::FDivDuration(machine.used(kBob), machine.used(kAnn));
  EXPECT_NEAR(ratio, 3, 0.06);
  EXPECT_GT(machine.used(kAnn) + machine.used(kBob),
            4 * absl::Hours(1) - absl::Seconds(4));
}

TEST(ShareOrderTest, AnAccountThatComesGetsTheNextTask) {
  Machine machine(/*devices=*/1, {});
  machine.Add(kAnn, /*jobs=*/50, absl::Seconds(3));
  machine.Add(kBob, /*jobs=*/50, absl::Seconds(3));
  machine.RunFor(absl::Hours(5));
  machine.Add(kCarol, /*jobs=*/1'000, absl::Seconds(3));
  const absl::Duration ann = machine.used(kAnn);
  machine.RunFor(absl::Minutes(15));
  // One task is under way, and one of the others' may be as far behind.
  EXPECT_LE(machine.first_wait(kCarol), absl::Seconds(6));
  // Nobody else is starved for it.
  EXPECT_NEAR(absl::ToDoubleMinutes(machine.used(kAnn) - ann), 5, 0.2);
  EXPECT_NEAR(absl::ToDoubleMinutes(machine.used(kCarol)), 5, 0.2);
}

// One job uses one device at a time. That saves nothing up for another that
// comes, and at most an hour for its own account.
TEST(ShareOrderTest, WhoUsesLessThanHisShareStarvesNobodyLater) {
  Machine machine(/*devices=*/4, {});
  machine.Add(kAnn, /*jobs=*/1, absl::Seconds(1));
  machine.Add(kBob, /*jobs=*/50, absl::Seconds(1));
  machine.RunFor(absl::Hours(8));
  EXPECT_GT(machine.used(kAnn), 0.99 * absl::Hours(8));
  const absl::Duration before = machine.used(kBob);
  machine.Add(kCarol, /*jobs=*/50, absl::Seconds(1));
  machine.RunFor(absl::Minutes(10));
  EXPECT_GT(machine.used(kBob) - before, absl::Minutes(14));
  EXPECT_NEAR(
      absl::FDivDuration(machine.used(kCarol), machine.used(kBob) - before), 1,
      0.05);
  // An hour's credit is all four devices for a quarter of an hour.
  const absl::Duration then = machine.used(kBob);
  machine.Add(kAnn, /*jobs=*/50, absl::Seconds(1));
  machine.RunFor(absl::Hours(1));
  const absl::Duration after = machine.used(kBob);
  EXPECT_NEAR(absl::ToDoubleMinutes(after - then), 60, 3);
  machine.RunFor(absl::Hours(1));
  EXPECT_NEAR(absl::ToDoubleMinutes(machine.used(kBob) - after), 80, 2);
}

}  // namespace
}  // namespace hydra
