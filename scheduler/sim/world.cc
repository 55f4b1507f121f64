#include "scheduler/sim/world.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "scheduler/core/records.h"
#include "scheduler/core/testing/small_job.h"
#include "scheduler/sim/delays.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;

// Whoever needs longer for a test's few jobs will never be done.
constexpr absl::Duration kLongest = absl::Hours(24);

// Of the first worker's device.
constexpr int64_t kDeviceBytes = 1 << 20;

// Rises along a job's chain: what is made after so many steps comes before the
// next one.
auto Rank(const ChainPosition& position) {
  using Phase = ChainPosition::Phase;
  return std::make_tuple(position.phase == Phase::kDone,
                         position.phase != Phase::kInit, position.step,
                         position.phase == Phase::kTrain, position.split,
                         position.first_batch, position.task);
}

ChainPosition NewestCheckpoint(const Job& job) {
  if (job.checkpoints.empty()) return {};
  return FromRecord(job.checkpoints.back().position());
}

}  // namespace

World::World(const Options& options)
    : options_(options), random_(options.seed) {
  workers_.resize(options.workers);
  StartDaemon();
}

World::~World() = default;

absl::Duration World::Delay(absl::Duration longest) {
  return longest * std::uniform_real_distribution<double>(0, 1)(random_);
}

bool World::Chance(double probability) {
  return probability > 0 &&
         std::uniform_real_distribution<double>(0, 1)(random_) < probability;
}

void World::Do(const LineForJob& kept) {
  constexpr size_t kMostLines = 100;
  std::vector<std::string>& lines = logs_[kept.job];
  if (lines.size() < kMostLines) lines.push_back(kept.line.text());
}

void World::At(absl::Duration delay, std::function<void()> action) {
  agenda_.emplace(std::make_pair(now_ + delay, ++planned_), std::move(action));
}

// Nothing happens if the process of now is gone by then.
void World::AtWorker(int worker, absl::Duration delay,
                     std::function<void(SimProcess&)> action) {
  const int generation = workers_[worker].generation;
  At(delay, [this, worker, generation, action = std::move(action)] {
    if (workers_[worker].generation == generation) action(workers_[worker]);
  });
}

void World::AtDaemon(absl::Duration delay, std::function<void()> action) {
  if (daemon_ == nullptr) return;
  const int generation = daemon_generation_;
  At(delay, [this, generation, action = std::move(action)] {
    if (daemon_generation_ == generation) action();
  });
}

// --- The daemon ---

void World::StartDaemon() {
  Core::Options core;
  core.pool_first_byte = 4096;
  core.pool_bytes = options_.pool_bytes;
  core.lookahead = options_.lookahead;
  core.promised_tenths = options_.promised_tenths;
  core.poison_crashes = options_.poison_crashes;
  core.advances_in_one_go = options_.advances_in_one_go;
  core.watchdog_unmeasured = absl::Minutes(1);
  for (int i = 0; i < options_.workers; ++i) {
    core.devices.push_back(
        {absl::StrCat("cpu:", i),
         options_.equal_devices ? kDeviceBytes : kDeviceBytes << i, 1,
         "simulated"});
  }
  ++daemon_starts_;
  daemon_ = std::make_unique<SimDaemon>(
      std::move(core), &disk_,
      [this](const Action& action) {
        std::visit([this](const auto& one) { Do(one); }, action);
      },
      [this](WorkerId id, const std::string& session) {
        const SimProcess& process = workers_[id.value() - 1];
        return process.alive && process.session == session;
      },
      now_);
  daemon_->Begin(now_);
  CheckCommitted();
  CheckAcknowledged();
  for (int i = 0; i < options_.workers; ++i) {
    if (daemon_->session(WorkerId(i + 1)).empty()) {
      // One that this daemon does not know is refused, and ends.
      Kill(i);
      AtDaemon(Delay(kRestartTime), [=] { Start(i); });
    }
  }
  TickSoon();
  WriteJobsSoon();
  ContinueSoon();
}

void World::TickSoon() {
  AtDaemon(kSecond, [this] {
    InCore([this](Core& core) { core.Tick(now_); });
    TickSoon();
  });
}

void World::ContinueSoon() {
  if (!daemon_->core().has_more_work()) return;
  AtDaemon(absl::ZeroDuration(), [this] { InCore([](Core&) {}); });
}

void World::InCore(const std::function<void(Core&)>& action) {
  if (daemon_ == nullptr) return;
  SimDaemon::Crash crash = SimDaemon::Crash::kNone;
  if (Chance(options_.daemon_crash)) {
    crash = Chance(0.5) ? SimDaemon::Crash::kBeforeCommit
                        : SimDaemon::Crash::kAfterCommit;
  }
  const bool alive = daemon_->Turn(action, now_, crash);
  if (crash != SimDaemon::Crash::kBeforeCommit) NoteCommitted();
  if (!alive) {
    CrashDaemon();
  } else if (Chance(options_.power_cut)) {
    CutPower();
  } else {
    WriteJobsSoon();
    ContinueSoon();
  }
}

void World::WriteJobsSoon() {
  if (write_planned_ || !daemon_->has_unwritten()) return;
  write_planned_ = true;
  AtDaemon(Delay(kDiskTime), [this] {
    write_planned_ = false;
    const bool alive = daemon_->WriteJobs(
        now_, Chance(options_.daemon_crash) ? SimDaemon::Crash::kBeforeCommit
                                            : SimDaemon::Crash::kNone);
    if (alive) {
      WriteJobsSoon();
      ContinueSoon();
    } else {
      CrashDaemon();
    }
  });
}

void World::CrashDaemon() {
  if (daemon_ == nullptr) return;
  daemon_.reset();
  ++daemon_generation_;
  write_planned_ = false;
  for (int i = 0; i < options_.workers; ++i) {
    workers_[i].stream_open = false;
    if (workers_[i].alive) Attach(i);
  }
  At(Delay(kDaemonRestartTime), [this] { StartDaemon(); });
}

void World::CutPower() {
  for (int i = 0; i < options_.workers; ++i) Kill(i);
  CrashDaemon();
  pool_.clear();
  disk_.pool = {};
  running_.clear();
  power_failed_ = true;
}

void World::MakeCheckpointsReadable(bool readable) {
  for (auto& [path, checkpoint] : disk_.checkpoints) {
    checkpoint.unreadable = !readable;
  }
}

// What a job has committed it never does again, but after a loss of the pool.
void World::NoteCommitted() {
  if (daemon_ == nullptr) return;
  for (SweepId sweep : daemon_->core().jobs().Sweeps()) {
    for (JobId id : daemon_->core().jobs().JobsOf(sweep)) {
      committed_[id] = daemon_->core().jobs().Find(id)->position;
    }
  }
}

void World::CheckCommitted() {
  const bool pool_lost = std::exchange(power_failed_, false);
  for (const auto& [id, position] : committed_) {
    const Job* job = daemon_->core().jobs().Find(id);
    CHECK(job != nullptr) << JobName(id) << " is lost";
    if (pool_lost || job->ended() ||
        (GoesBack(job->intent) && job->state != v1::JOB_STATE_PAUSED))
      continue;
    // The daemon may have found the checkpoint for which a pause waited.
    const bool paused = job->state == v1::JOB_STATE_PAUSED;
    const ChainPosition goes_on_at =
        paused ? NewestCheckpoint(*job) : job->position;
    CHECK(Rank(goes_on_at) >= Rank(paused ? ResumePlace(position) : position))
        << "seed " << options_.seed << ": " << JobName(id) << " was at step "
        << position.step << " and is at step " << goes_on_at.step;
  }
  NoteCommitted();
}

void World::CheckAcknowledged() {
  for (size_t i = 0; i < requests_.size(); ++i) {
    if (!requests_[i].acknowledged) continue;
    const auto submission =
        daemon_->core().SubmissionOf({absl::StrCat("request-", i)});
    CHECK(submission.has_value()) << "acknowledged request " << i << " is lost";
    CHECK_EQ(daemon_->core().jobs().JobsOf(submission->sweep).size(),
             requests_[i].jobs);
  }
}

// --- The user ---

void World::Submit(int jobs, int64_t steps) {
  const size_t index = requests_.size();
  requests_.push_back({jobs, steps});
  TrySubmit(index);
  RunUntil([&] { return requests_[index].acknowledged; });
}

void World::TrySubmit(size_t index) {
  const std::string id = absl::StrCat("request-", index);
  InCore([&](Core& core) {
    NewJob job = SmallJob(requests_[index].steps);
    job.spec.mutable_train()->set_max_nonfinite_steps(
        options_.max_nonfinite_steps);
    if (options_.checkpoint_minutes > 0) {
      job.spec.mutable_checkpoint()->set_every_steps(0);
      job.spec.mutable_checkpoint()->set_every_minutes(
          options_.checkpoint_minutes);
    }
    (void)core.Submit(std::vector<NewJob>(requests_[index].jobs, job), {id, ""},
                      now_);
  });
  At(kDiskTime, [=] {
    if (daemon_ != nullptr) {
      const auto submission = daemon_->core().SubmissionOf({id});
      if (submission.has_value() &&
          !daemon_->core().jobs().JobsOf(submission->sweep).empty()) {
        requests_[index].acknowledged = true;
        return;
      }
    }
    At(kDiskTime, [=] { TrySubmit(index); });
  });
}

void World::Meddle() {
  if (daemon_ == nullptr || daemon_->core().jobs().Sweeps().empty()) return;
  std::vector<JobId> jobs;
  for (SweepId sweep : daemon_->core().jobs().Sweeps()) {
    for (JobId job : daemon_->core().jobs().JobsOf(sweep)) jobs.push_back(job);
  }
  const JobId job = jobs[random_() % jobs.size()];
  const int what = static_cast<int>(random_() % 10);
  InCore([&](Core& core) {
    if (what < 5) {
      core.Pause({job}, now_);
    } else if (what < 9) {
      core.Resume({job}, now_);
    } else {
      core.Cancel({job}, /*delete_checkpoints=*/Chance(0.5), now_);
    }
  });
  ResumeLater(job);
}

// Nobody forgets a job for ever.
void World::ResumeLater(JobId id) {
  At(absl::Seconds(5), [=] {
    InCore([&](Core& core) {
      if (core.jobs().Find(id) != nullptr) core.Resume({id}, now_);
    });
    const Job* job =
        daemon_ == nullptr ? nullptr : daemon_->core().jobs().Find(id);
    const bool heard = daemon_ != nullptr &&
                       (job == nullptr || (job->state != v1::JOB_STATE_PAUSED &&
                                           !Pauses(job->intent)));
    if (!heard) ResumeLater(id);
  });
}

// --- Time ---

void World::RunUntil(const std::function<bool()>& done) {
  const absl::Time deadline = now_ + kLongest;
  while (daemon_ == nullptr || !done()) {
    CHECK(!agenda_.empty());
    auto next = agenda_.begin();
    now_ = next->first.first;
    CHECK(now_ < deadline) << "seed " << options_.seed
                           << ": nothing goes on any more at " << now_ << ", "
                           << agenda_.size() << " events planned\n"
                           << Describe();
    const std::function<void()> action = std::move(next->second);
    agenda_.erase(next);
    action();
    ++events_;
  }
}

std::string World::Describe() const {
  std::string text;
  if (daemon_ == nullptr) return "the daemon is down";
  for (SweepId sweep : daemon_->core().jobs().Sweeps()) {
    for (JobId id : daemon_->core().jobs().JobsOf(sweep)) {
      const Job& job = *daemon_->core().jobs().Find(id);
      absl::StrAppend(&text, StatusOf(job).ShortDebugString(), " outstanding ",
                      job.outstanding.size(), "\n");
    }
  }
  for (const v1::WorkerStatus& worker : daemon_->core().Workers(now_)) {
    absl::StrAppend(&text, worker.ShortDebugString(), "\n");
  }
  return text;
}

bool World::AllJobsEnded() const {
  for (const Request& request : requests_) {
    if (!request.acknowledged) return false;
  }
  for (SweepId sweep : daemon_->core().jobs().Sweeps()) {
    for (JobId job : daemon_->core().jobs().JobsOf(sweep)) {
      if (!daemon_->core().jobs().Find(job)->ended()) return false;
    }
  }
  return true;
}

void World::RunUntilJobsEnd() {
  RunUntil([this] { return AllJobsEnded(); });
}

}  // namespace hydra
