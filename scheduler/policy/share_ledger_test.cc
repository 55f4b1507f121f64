#include "scheduler/policy/share_ledger.h"

#include <cmath>
#include <map>
#include <random>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "scheduler/policy/account.h"

namespace hydra {
namespace {

constexpr Account kAnn{1};
constexpr Account kBob{2};
constexpr Account kCarol{3};

const absl::Time kStart = absl::FromUnixSeconds(1'000'000);

// Promised, and then done in that time.
void Work(ShareLedger& ledger, Account account, absl::Duration took,
          absl::Time now) {
  ledger.Promise(account, took, now);
  ledger.TakeBack(account, took);
  ledger.Charge(account, took, now);
}

absl::Duration UsedBy(const ShareLedger& ledger, Account account) {
  for (const ShareLedger::Use& use : ledger.Uses()) {
    if (use.account == account) return use.used;
  }
  return -absl::InfiniteDuration();
}

void ExpectNear(absl::Duration a, absl::Duration b) {
  EXPECT_NEAR(absl::ToDoubleSeconds(a), absl::ToDoubleSeconds(b), 1e-3);
}

TEST(ShareLedgerTest, WhoHasUsedLessGoesFirst) {
  ShareLedger ledger({});
  Work(ledger, kAnn, absl::Seconds(3), kStart);
  Work(ledger, kBob, absl::Seconds(2), kStart);
  EXPECT_TRUE(ledger.Before(kBob, kAnn));
  EXPECT_FALSE(ledger.Before(kAnn, kBob));
  ExpectNear(ledger.LeadOf(kAnn, kBob), absl::Seconds(1));
}

TEST(ShareLedgerTest, OfEqualOnesTheLowerNumberGoesFirst) {
  ShareLedger ledger({});
  EXPECT_TRUE(ledger.Before(kAnn, kBob));
  EXPECT_FALSE(ledger.Before(kBob, kAnn));
  EXPECT_FALSE(ledger.Before(kAnn, kAnn));
}

TEST(ShareLedgerTest, WithTwiceTheWeightTimeCountsHalf) {
  ShareOptions options;
  options.weights[kAnn] = 2;
  ShareLedger ledger(options);
  Work(ledger, kAnn, absl::Seconds(10), kStart);
  Work(ledger, kBob, absl::Seconds(6), kStart);
  EXPECT_TRUE(ledger.Before(kAnn, kBob));
  ExpectNear(UsedBy(ledger, kAnn), absl::Seconds(10));
  ExpectNear(ledger.LeadOf(kBob, kAnn), absl::Seconds(1));
  // A second of it is half a second more than what bob has.
  Work(ledger, kAnn, absl::Seconds(4), kStart);
  ExpectNear(ledger.LeadOf(kAnn, kBob), absl::Seconds(2));
}

TEST(ShareLedgerTest, AnotherWeightIsAsIfItHadAlwaysBeenSo) {
  const absl::Time now = absl::FromUnixSeconds(1'000'000);
  ShareOptions options;
  options.weights[Account{2}] = 4;
  ShareLedger ledger({});
  ShareLedger always(options);
  for (ShareLedger* each : {&ledger, &always}) {
    each->Charge(Account{1}, absl::Seconds(10), now);
    each->Charge(Account{2}, absl::Seconds(30), now);
  }
  EXPECT_FALSE(ledger.Before(Account{2}, Account{1}));
  ledger.SetWeights(options.weights);
  EXPECT_TRUE(ledger.Before(Account{2}, Account{1}));
  EXPECT_TRUE(always.Before(Account{2}, Account{1}));
  EXPECT_NEAR(absl::ToDoubleSeconds(UsedBy(ledger, Account{2})), 30, 1e-6)
      << "the device time itself";
}

TEST(ShareLedgerTest, WhatIsPromisedCountsUntilItIsTakenBack) {
  ShareLedger ledger({});
  ledger.Promise(kAnn, absl::Seconds(5), kStart);
  Work(ledger, kBob, absl::Seconds(1), kStart);
  EXPECT_TRUE(ledger.Before(kBob, kAnn));
  ledger.TakeBack(kAnn, absl::Seconds(5));
  EXPECT_TRUE(ledger.Before(kAnn, kBob));
  ExpectNear(UsedBy(ledger, kAnn), absl::ZeroDuration());
}

TEST(ShareLedgerTest, DeviceTimeCountsHalfAfterAHalfLife) {
  ShareLedger ledger({});
  Work(ledger, kAnn, absl::Seconds(80), kStart);
  Work(ledger, kBob, absl::Seconds(50), kStart + absl::Hours(24));
  ExpectNear(UsedBy(ledger, kAnn), absl::Seconds(40));
  ExpectNear(UsedBy(ledger, kBob), absl::Seconds(50));
  EXPECT_TRUE(ledger.Before(kAnn, kBob));
}

TEST(ShareLedgerTest, AnEarlierTimeCountsAsTheNewestOne) {
  ShareLedger ledger({});
  Work(ledger, kAnn, absl::Seconds(4), kStart);
  Work(ledger, kBob, absl::Seconds(4), kStart - absl::Hours(48));
  ExpectNear(UsedBy(ledger, kBob), absl::Seconds(4));
  EXPECT_EQ(ledger.now(), kStart);
}

// --- Those who come ---

TEST(ShareLedgerTest, ANewOneBeginsWhereTheLeastOfThoseIsThatWait) {
  ShareLedger ledger({});
  Work(ledger, kAnn, absl::Hours(9), kStart);
  ledger.Join(kBob, &kAnn, kStart);
  ExpectNear(ledger.LeadOf(kAnn, kBob), absl::ZeroDuration());
}

TEST(ShareLedgerTest, WhereNobodyWaitsANewOneBeginsAtTheLevelOfThoseThatRan) {
  ShareLedger ledger({});
  Work(ledger, kAnn, absl::Hours(9), kStart);
  ledger.Promise(kAnn, absl::Seconds(7), kStart);
  ledger.Join(kBob, nullptr, kStart);
  ExpectNear(ledger.LeadOf(kAnn, kBob), absl::Seconds(7));
}

TEST(ShareLedgerTest, WhoWasAwaySavedNothingUp) {
  ShareLedger ledger({});
  Work(ledger, kAnn, absl::Minutes(1), kStart);
  Work(ledger, kBob, absl::Minutes(1), kStart);
  const absl::Time later = kStart + absl::Hours(6);
  Work(ledger, kBob, absl::Hours(6), later);
  ledger.Join(kAnn, &kBob, later);
  ExpectNear(ledger.LeadOf(kBob, kAnn), absl::ZeroDuration());
}

TEST(ShareLedgerTest, WhoHasUsedMoreStaysBehindThoughHeWasAway) {
  ShareLedger ledger({});
  Work(ledger, kAnn, absl::Minutes(30), kStart);
  const absl::Time later = kStart + absl::Hours(24);
  Work(ledger, kBob, absl::Minutes(1), later);
  ledger.Join(kAnn, &kBob, later);
  ExpectNear(ledger.LeadOf(kAnn, kBob), absl::Minutes(14));
}

TEST(ShareLedgerTest, WhoWasThereCatchesUpAnHourAtMost) {
  ShareLedger ledger({});
  Work(ledger, kAnn, absl::Minutes(10), kStart);
  Work(ledger, kBob, absl::Minutes(40), kStart);
  // What he owes is as it is.
  ledger.Join(kAnn, &kBob, kStart);
  ExpectNear(ledger.LeadOf(kBob, kAnn), absl::Minutes(30));
  Work(ledger, kBob, absl::Hours(6), kStart);
  ledger.Join(kAnn, &kBob, kStart);
  ExpectNear(ledger.LeadOf(kBob, kAnn), absl::Hours(1));
}

TEST(ShareLedgerTest, OneWithATaskInAHandWasNotAway) {
  ShareLedger ledger({});
  ledger.Promise(kAnn, absl::Seconds(1), kStart);
  const absl::Time later = kStart + absl::Minutes(30);
  Work(ledger, kBob, absl::Minutes(30), later);
  ledger.Join(kAnn, &kBob, later);
  EXPECT_GT(ledger.LeadOf(kBob, kAnn), absl::Minutes(29));
}

// --- By brute force ---

// All that was ever charged, as it would be counted by hand.
struct Charged {
  Account account;
  absl::Duration took;
  absl::Time at;
};

double PlaceOf(const std::vector<Charged>& charges, Account account,
               absl::Time now, const ShareOptions& options) {
  double place = 0;
  for (const Charged& each : charges) {
    if (each.account != account) continue;
    place += absl::ToDoubleSeconds(each.took) *
             std::exp2(-absl::FDivDuration(now - each.at, options.half_life));
  }
  const auto weight = options.weights.find(account);
  return weight == options.weights.end() ? place : place / weight->second;
}

// For half a year: the epoch moves now and then.
TEST(ShareLedgerTest, PlacesAreTheDecayedSumsWhateverHappened) {
  std::mt19937_64 random(20261);
  ShareOptions options;
  options.half_life = absl::Hours(6);
  options.weights[kAnn] = 0.5;
  options.weights[kCarol] = 3;
  ShareLedger ledger(options);
  std::vector<Charged> charges;
  std::map<Account, absl::Duration> promised;
  absl::Time now = kStart;
  // They are known from the start.
  for (Account account : {kAnn, kBob, kCarol}) {
    ledger.Charge(account, absl::ZeroDuration(), now);
  }
  for (int i = 0; i < 2'000; ++i) {
    now += absl::Minutes(random() % 260);
    const Account account{1 + random() % 3};
    const absl::Duration took = absl::Seconds(1 + random() % 9'000);
    ledger.Promise(account, took, now);
    ledger.TakeBack(account, took);
    ledger.Charge(account, took, now);
    charges.push_back({account, took, now});
    for (Account a : {kAnn, kBob, kCarol}) {
      for (Account b : {kAnn, kBob, kCarol}) {
        const double lead = PlaceOf(charges, a, now, options) -
                            PlaceOf(charges, b, now, options);
        if (std::abs(lead) < 1e-3) continue;
        ASSERT_EQ(ledger.Before(a, b), lead < 0) << "after " << i;
      }
    }
  }
}

TEST(ShareLedgerTest, NoOrderChangesByTimeAlone) {
  std::mt19937_64 random(20262);
  ShareLedger ledger({});
  for (uint64_t i = 1; i <= 20; ++i) {
    Work(ledger, Account{i}, absl::Seconds(1 + random() % 100),
         kStart + absl::Hours(i));
  }
  std::vector<bool> before;
  const auto order = [&] {
    std::vector<bool> order;
    for (uint64_t a = 1; a <= 20; ++a) {
      for (uint64_t b = 1; b <= 20; ++b) {
        order.push_back(ledger.Before(Account{a}, Account{b}));
      }
    }
    return order;
  };
  const std::vector<bool> at_first = order();
  // One that is none of them, far behind all.
  for (int day = 2; day < 300; ++day) {
    ledger.Charge(Account{99}, absl::Hours(24), kStart + absl::Hours(24) * day);
    ASSERT_EQ(order(), at_first) << "after " << day << " days";
  }
}

// --- What is remembered ---

TEST(ShareLedgerTest, GoesOnFromWhatWasRemembered) {
  ShareOptions options;
  options.weights[kAnn] = 2;
  ShareLedger ledger(options);
  Work(ledger, kAnn, absl::Minutes(50), kStart);
  Work(ledger, kBob, absl::Minutes(20), kStart + absl::Hours(30));
  ledger.Promise(kBob, absl::Hours(1), kStart + absl::Hours(30));
  ShareLedger again(options);
  again.Restore(ledger.Uses(), ledger.level(), ledger.now(), ledger.now());
  EXPECT_EQ(again.accounts(), 2);
  ExpectNear(again.level(), ledger.level());
  for (Account account : {kAnn, kBob}) {
    ExpectNear(UsedBy(again, account), UsedBy(ledger, account));
  }
  // It counts less from then on, as if nothing had been.
  again.Charge(kCarol, absl::ZeroDuration(), kStart + absl::Hours(54));
  ledger.Charge(kCarol, absl::ZeroDuration(), kStart + absl::Hours(54));
  ExpectNear(UsedBy(again, kBob), UsedBy(ledger, kBob));
  ExpectNear(UsedBy(again, kBob), absl::Minutes(10));
}

TEST(ShareLedgerTest, NobodyIsAwayWhileNothingIsThereToRunHisJobs) {
  ShareLedger ledger({});
  Work(ledger, kAnn, absl::Minutes(50), kStart);
  Work(ledger, kBob, absl::Minutes(20), kStart);
  const absl::Time later = kStart + absl::Hours(24);
  ShareLedger again({});
  again.Restore(ledger.Uses(), ledger.level(), kStart, later);
  again.Join(kBob, nullptr, later);
  again.Join(kAnn, &kBob, later);
  ExpectNear(again.LeadOf(kAnn, kBob), absl::Minutes(15));
}

TEST(ShareLedgerTest, ATimeToComeIsTakenForNow) {
  ShareLedger ledger({});
  Work(ledger, kAnn, absl::Minutes(50), kStart + absl::Hours(10'000));
  ShareLedger again({});
  again.Restore(ledger.Uses(), ledger.level(), ledger.now(), kStart);
  EXPECT_EQ(again.now(), kStart);
  ExpectNear(UsedBy(again, kAnn), absl::Minutes(50));
  again.Charge(kAnn, absl::ZeroDuration(), kStart + absl::Hours(24));
  ExpectNear(UsedBy(again, kAnn), absl::Minutes(25));
}

TEST(ShareLedgerTest, AnotherWeightCountsWhatWasUsedAnew) {
  ShareLedger ledger({});
  Work(ledger, kAnn, absl::Minutes(30), kStart);
  Work(ledger, kBob, absl::Minutes(20), kStart);
  ShareOptions options;
  options.weights[kAnn] = 3;
  ShareLedger again(options);
  again.Restore(ledger.Uses(), ledger.level(), ledger.now(), ledger.now());
  EXPECT_TRUE(again.Before(kAnn, kBob));
}

}  // namespace
}  // namespace hydra
