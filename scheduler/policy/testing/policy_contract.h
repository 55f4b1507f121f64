#ifndef HYDRA_SCHEDULER_POLICY_TESTING_POLICY_CONTRACT_H_
#define HYDRA_SCHEDULER_POLICY_TESTING_POLICY_CONTRACT_H_

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "common/ids/ids.h"
#include "gtest/gtest.h"
#include "scheduler/policy/account.h"
#include "scheduler/policy/job_view.h"
#include "scheduler/policy/policy.h"

namespace hydra {

// What every policy promises (policy.h). A new one runs it with
//
//   INSTANTIATE_TYPED_TEST_SUITE_P(Mine, PolicyContract, MyPolicy);
//
// and needs a default constructor.
template <typename MadePolicy>
class PolicyContract : public ::testing::Test {
 protected:
  std::vector<JobId> InOrder() const {
    std::vector<JobId> jobs;
    policy_.ForEachInOrder([&](const JobView& job) {
      jobs.push_back(job.id);
      return true;
    });
    return jobs;
  }

  // Few different times, so that many are equal.
  JobView AnyView() {
    JobView view;
    view.id = JobId(random_() % 40);
    const int64_t remaining = static_cast<int64_t>(random_() % 20) - 1;
    view.remaining =
        remaining == 18 ? absl::InfiniteDuration() : absl::Seconds(remaining);
    view.submitted = absl::FromUnixSeconds(random_() % 20);
    view.account = Account{random_() % 3};
    view.priority = static_cast<int>(random_() % 3) - 1;
    return view;
  }

  std::mt19937_64 random_{20221};
  MadePolicy policy_;
};

TYPED_TEST_SUITE_P(PolicyContract);

TYPED_TEST_P(PolicyContract, HasNoJobsAtFirst) {
  EXPECT_EQ(this->policy_.Best(), std::nullopt);
  EXPECT_TRUE(this->InOrder().empty());
  EXPECT_FALSE(this->policy_.Contains(JobId(1)));
}

TYPED_TEST_P(PolicyContract, OrdersAllJobsStrictly) {
  const Policy& policy = this->policy_;
  for (int i = 0; i < 20'000; ++i) {
    const JobView a = this->AnyView();
    const JobView b = this->AnyView();
    const JobView c = this->AnyView();
    ASSERT_FALSE(policy.Before(a, a));
    if (a.id == b.id || b.id == c.id || a.id == c.id) continue;
    ASSERT_NE(policy.Before(a, b), policy.Before(b, a));
    if (policy.BeforeByFar(a, b)) {
      ASSERT_TRUE(policy.Before(a, b));
      ASSERT_FALSE(policy.MayYield(a, b));
    }
    if (policy.Before(a, b) && policy.Before(b, c)) {
      ASSERT_TRUE(policy.Before(a, c));
    }
  }
}

TYPED_TEST_P(PolicyContract, VisitsInItsOwnOrderWhateverHappenedBefore) {
  std::map<JobId, JobView> model;
  for (int i = 0; i < 20'000; ++i) {
    const JobView job = this->AnyView();
    if (this->random_() % 3 == 0) {
      this->policy_.Remove(job.id);
      model.erase(job.id);
    } else {
      this->policy_.Upsert(job);
      model[job.id] = job;
    }
    ASSERT_EQ(this->policy_.Contains(job.id), model.count(job.id) > 0);
    std::vector<JobId> expected;
    for (const auto& [id, view] : model) expected.push_back(id);
    std::sort(expected.begin(), expected.end(), [&](JobId a, JobId b) {
      return this->policy_.Before(model.at(a), model.at(b));
    });
    ASSERT_EQ(this->InOrder(), expected) << "after operation " << i;
    ASSERT_EQ(this->policy_.Best().has_value(), !expected.empty());
    if (expected.empty()) continue;
    ASSERT_EQ(*this->policy_.Best(), expected.front());
  }
}

TYPED_TEST_P(PolicyContract, RemovingAnUnknownJobDoesNothing) {
  this->policy_.Upsert({JobId(1), absl::Hours(2), absl::UnixEpoch()});
  this->policy_.Remove(JobId(99));
  EXPECT_EQ(this->InOrder(), std::vector<JobId>{JobId(1)});
}

TYPED_TEST_P(PolicyContract, StopsVisitingWhenToldTo) {
  for (int i = 1; i <= 5; ++i) {
    this->policy_.Upsert({JobId(i), absl::Hours(i), absl::FromUnixSeconds(i)});
  }
  int seen = 0;
  this->policy_.ForEachInOrder([&](const JobView&) { return ++seen < 2; });
  EXPECT_EQ(seen, 2);
}

TYPED_TEST_P(PolicyContract, SaysHowManyAreAhead) {
  const std::string one = this->policy_.JobsAhead(1);
  EXPECT_TRUE(absl::StartsWith(one, "1 job ")) << one;
  EXPECT_TRUE(absl::EndsWith(one, " is ahead")) << one;
  const std::string more = this->policy_.JobsAhead(23);
  EXPECT_TRUE(absl::StartsWith(more, "23 jobs ")) << more;
  EXPECT_TRUE(absl::EndsWith(more, " are ahead")) << more;
}

REGISTER_TYPED_TEST_SUITE_P(PolicyContract, HasNoJobsAtFirst,
                            OrdersAllJobsStrictly,
                            VisitsInItsOwnOrderWhateverHappenedBefore,
                            RemovingAnUnknownJobDoesNothing,
                            StopsVisitingWhenToldTo, SaysHowManyAreAhead);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_POLICY_TESTING_POLICY_CONTRACT_H_
