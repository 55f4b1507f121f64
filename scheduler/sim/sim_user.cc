#include "scheduler/sim/sim_user.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/model/loss_scale.h"
#include "glog/logging.h"
#include "scheduler/core/testing/small_job.h"
#include "scheduler/sim/delays.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

std::string RequestId(size_t request) {
  return absl::StrCat("request-", request);
}

// As lists have them.
std::vector<JobId> JobsOf(const JobBook& book) {
  std::vector<JobId> jobs;
  for (SweepId sweep : book.Sweeps()) {
    for (JobId job : book.JobsOf(sweep)) jobs.push_back(job);
  }
  return jobs;
}

NewJob JobOf(int64_t steps, const WorldOptions& options) {
  NewJob job = SmallJob(steps);
  job.spec.mutable_train()->set_max_nonfinite_steps(
      options.max_nonfinite_steps);
  job.spec.mutable_train()->set_max_grad_norm(options.max_grad_norm);
  if (options.fp16) {
    job.spec.mutable_train()->set_fp16(true);
    job.spec.mutable_train()->set_loss_scale(kFirstLossScale);
    job.spec.mutable_train()->set_loss_scale_growth_interval(2);
  }
  job.spec.mutable_evaluation()->set_early_stopping_patience(
      options.early_stopping_patience);
  job.spec.mutable_train()->set_gradient_accumulation_steps(
      options.micro_batches);
  job.spec.mutable_train()->set_micro_batches_per_round(
      options.micro_batches_per_round);
  if (options.checkpoint_minutes > 0) {
    job.spec.mutable_checkpoint()->set_every_steps(0);
    job.spec.mutable_checkpoint()->set_every_minutes(
        options.checkpoint_minutes);
  }
  return job;
}

}  // namespace

size_t SimUser::Submit(int jobs, int64_t steps) {
  return Submit(std::vector<NewJob>(jobs, JobOf(steps, machine_->options)));
}

size_t SimUser::Submit(std::vector<NewJob> jobs, std::optional<Caller> caller) {
  const size_t request = requests_.size();
  requests_.push_back({std::move(jobs), caller});
  TrySubmit(request);
  return request;
}

RequestKey SimUser::KeyOf(size_t request) const {
  return {RequestId(request), "", requests_[request].caller};
}

void SimUser::TrySubmit(size_t request) {
  daemon_->InCore([&](Core& core) {
    std::vector<NewJob> jobs = requests_[request].jobs;
    (void)core.Submit(std::move(jobs), KeyOf(request), machine_->agenda.now());
  });
  machine_->agenda.At(kDiskTime, [=] {
    if (daemon_->is_up()) {
      const auto submission = daemon_->core().SubmissionOf(KeyOf(request));
      if (submission.has_value() &&
          !daemon_->core().jobs().JobsOf(submission->sweep).empty()) {
        requests_[request].acknowledged = true;
        return;
      }
    }
    machine_->agenda.At(kDiskTime, [=] { TrySubmit(request); });
  });
}

bool SimUser::AllJobsEnded() const {
  const JobBook::Jobs& jobs = daemon_->core().jobs().all();
  return std::all_of(requests_.begin(), requests_.end(),
                     [](const Request& one) { return one.acknowledged; }) &&
         std::all_of(jobs.begin(), jobs.end(),
                     [](const auto& one) { return one.second.ended(); });
}

void SimUser::Meddle() {
  SimRandom& random = machine_->random;
  if (!random.Chance(machine_->options.meddling) || !daemon_->is_up()) return;
  const std::vector<JobId> jobs = JobsOf(daemon_->core().jobs());
  if (jobs.empty()) return;
  const JobId job = jobs[random.Any(jobs.size())];
  const uint64_t what = random.Any(10);
  const absl::Time now = machine_->agenda.now();
  daemon_->InCore([&](Core& core) {
    if (what < 5) {
      core.Pause({job}, now);
    } else if (what < 9) {
      core.Resume({job}, now);
    } else {
      core.Cancel({job}, /*delete_checkpoints=*/random.Chance(0.5), now);
    }
  });
  ResumeLater(job);
}

// Nobody forgets a job for ever.
void SimUser::ResumeLater(JobId id) {
  machine_->agenda.At(absl::Seconds(5), [=] {
    daemon_->InCore([&](Core& core) {
      if (core.jobs().Find(id) != nullptr) {
        core.Resume({id}, machine_->agenda.now());
      }
    });
    const Job* job =
        daemon_->is_up() ? daemon_->core().jobs().Find(id) : nullptr;
    const bool heard =
        daemon_->is_up() &&
        (job == nullptr ||
         (job->state() != v1::JOB_STATE_PAUSED && !Pauses(job->intent)));
    if (!heard) ResumeLater(id);
  });
}

void SimUser::CheckAcknowledged() const {
  const Core& core = daemon_->core();
  for (size_t i = 0; i < requests_.size(); ++i) {
    if (!requests_[i].acknowledged) continue;
    const auto submission = core.SubmissionOf(KeyOf(i));
    CHECK(submission.has_value()) << "acknowledged request " << i << " is lost";
    const size_t jobs = core.jobs().JobsOf(submission->sweep).size();
    CHECK_LE(jobs, requests_[i].jobs.size());
    CHECK(deletes_ || jobs == requests_[i].jobs.size());
  }
}

}  // namespace hydra
