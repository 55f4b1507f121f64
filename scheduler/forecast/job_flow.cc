#include "scheduler/forecast/job_flow.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/time/time.h"

namespace hydra {
namespace {

// Less than anybody asks for.
constexpr absl::Duration kAsGoodAsNothing = absl::Milliseconds(1);
constexpr double kNoDevice = 1e-9;

}  // namespace

void JobFlow::Add(const JobView& job) {
  Group group;
  group.jobs.push_back(job.id);
  group.view = job;
  groups_.push_back(std::move(group));
  ++size_;
}

bool JobFlow::WouldMeet(const Group& ahead, const Group& behind) const {
  JobView lower = ahead.view;
  lower.remaining = behind.view.remaining - kAsGoodAsNothing;
  return order_->Before(behind.view, lower);
}

bool JobFlow::HasMet(const Group& ahead, const Group& behind) const {
  JobView lower = ahead.view;
  lower.remaining -= kAsGoodAsNothing;
  return order_->Before(behind.view, lower);
}

void JobFlow::Sort() {
  if (sorted_ == groups_.size()) return;
  const auto last_first = [this](const Group& a, const Group& b) {
    return Before(b, a);
  };
  const auto added = groups_.begin() + static_cast<std::ptrdiff_t>(sorted_);
  std::sort(added, groups_.end(), last_first);
  std::inplace_merge(groups_.begin(), added, groups_.end(), last_first);
  sorted_ = groups_.size();
}

void JobFlow::Serve(double devices, std::vector<JobId>* started) {
  for (size_t i = 0; i < served_; ++i) groups_[sorted_ - 1 - i].rate = 0;
  Sort();
  for (served_ = 0; served_ < groups_.size() && devices > kNoDevice;
       ++served_) {
    Group& group = groups_[groups_.size() - 1 - served_];
    const auto jobs = static_cast<double>(group.jobs.size());
    const double all = std::min(jobs, devices);
    group.rate = all / jobs;
    devices -= all;
    if (std::exchange(group.started, true)) continue;
    started->insert(started->end(), group.jobs.begin(), group.jobs.end());
  }
}

double JobFlow::SecondsToChange() const {
  double least = std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < served_; ++i) {
    const size_t place = groups_.size() - 1 - i;
    const Group& group = groups_[place];
    least = std::min(least,
                     absl::ToDoubleSeconds(group.view.remaining) / group.rate);
    if (place == 0) break;
    const Group& behind = groups_[place - 1];
    const double closer = group.rate - behind.rate;
    if (closer <= kNoDevice || group.view.remaining <= behind.view.remaining ||
        !WouldMeet(group, behind)) {
      continue;
    }
    least = std::min(least, absl::ToDoubleSeconds(group.view.remaining -
                                                  behind.view.remaining) /
                                closer);
  }
  return least;
}

void JobFlow::Advance(double seconds, std::vector<JobId>* ended) {
  for (size_t i = 0; i < served_; ++i) {
    Group& group = groups_[groups_.size() - 1 - i];
    group.view.remaining -= absl::Seconds(seconds * group.rate);
  }
  const auto first_served =
      groups_.end() - static_cast<std::ptrdiff_t>(served_);
  const auto is_done = [](const Group& group) {
    return group.view.remaining <= kAsGoodAsNothing;
  };
  for (auto group = first_served; group != groups_.end(); ++group) {
    if (!is_done(*group)) continue;
    ended->insert(ended->end(), group->jobs.begin(), group->jobs.end());
    size_ -= group->jobs.size();
  }
  const auto gone = std::remove_if(first_served, groups_.end(), is_done);
  served_ -= static_cast<size_t>(groups_.end() - gone);
  groups_.erase(gone, groups_.end());
  sorted_ = groups_.size();
  MergeThoseThatMet();
}

// From the first one in the order on: who comes down pushes nobody up.
void JobFlow::MergeThoseThatMet() {
  size_t looked_at = 0;
  while (looked_at < served_ && looked_at + 1 < groups_.size()) {
    const size_t place = groups_.size() - 1 - looked_at;
    Group& ahead = groups_[place];
    Group& behind = groups_[place - 1];
    if (!HasMet(ahead, behind)) {
      ++looked_at;
      continue;
    }
    const auto more = static_cast<double>(ahead.jobs.size());
    const auto less = static_cast<double>(behind.jobs.size());
    behind.view.remaining =
        (ahead.view.remaining * more + behind.view.remaining * less) /
        (more + less);
    behind.started = behind.started && ahead.started;
    behind.jobs.insert(behind.jobs.end(), ahead.jobs.begin(), ahead.jobs.end());
    // The other one was served as well, or is from now on.
    if (looked_at + 1 < served_) --served_;
    groups_.erase(groups_.begin() + static_cast<std::ptrdiff_t>(place));
    sorted_ = groups_.size();
    // It has come down in its turn, or up.
    if (looked_at > 0) --looked_at;
  }
}

}  // namespace hydra
