#include "scheduler/sim/world.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "scheduler/core/plan.h"
#include "scheduler/core/records.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;
namespace wv1 = hydra::worker::v1;

constexpr absl::Duration kMessageTime = absl::Milliseconds(2);
constexpr absl::Duration kTaskTime = absl::Milliseconds(100);
constexpr absl::Duration kRestartTime = absl::Milliseconds(50);
constexpr absl::Duration kDaemonRestartTime = absl::Seconds(2);
constexpr absl::Duration kReconnectTime = absl::Milliseconds(200);
constexpr absl::Duration kDiskTime = absl::Milliseconds(20);
constexpr absl::Duration kSecond = absl::Seconds(1);
// Whoever needs longer for a test's few jobs will never be done.
constexpr absl::Duration kLongest = absl::Hours(24);

constexpr char kConfig[] = R"({
  "model_type": "gpt2", "vocab_size": 64, "n_positions": 8, "n_embd": 16,
  "n_layer": 2, "n_head": 2, "n_inner": 64, "activation_function": "gelu_new",
  "embd_pdrop": 0.0, "attn_pdrop": 0.0, "resid_pdrop": 0.0})";

// Rises along a job's chain: what is made after so many steps comes before the
// next one.
auto Rank(const ChainPosition& position) {
  using Phase = ChainPosition::Phase;
  return std::make_tuple(position.phase == Phase::kDone,
                         position.phase != Phase::kInit, position.step,
                         position.phase == Phase::kTrain, position.split,
                         position.first_batch, position.task);
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
  core.poison_crashes = options_.poison_crashes;
  core.watchdog_unmeasured = absl::Minutes(1);
  for (int i = 0; i < options_.workers; ++i) {
    core.devices.push_back({absl::StrCat("cpu:", i), 1 << 20, 1});
  }
  ++daemon_starts_;
  daemon_ = std::make_unique<SimDaemon>(
      std::move(core), &disk_, static_cast<Effects*>(this),
      [this](WorkerId id, const std::string& session) {
        const SimProcess& process = workers_[id.value() - 1];
        return process.alive && process.session == session;
      },
      now_);
  daemon_->Begin();
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
}

void World::TickSoon() {
  AtDaemon(kSecond, [this] {
    InCore([this](Core& core) { core.Tick(now_); });
    TickSoon();
  });
}

void World::InCore(const std::function<void(Core&)>& action) {
  if (daemon_ == nullptr) return;
  SimDaemon::Crash crash = SimDaemon::Crash::kNone;
  if (Chance(options_.daemon_crash)) {
    crash = Chance(0.5) ? SimDaemon::Crash::kBeforeCommit
                        : SimDaemon::Crash::kAfterCommit;
  }
  const bool alive = daemon_->Turn(action, crash);
  if (crash != SimDaemon::Crash::kBeforeCommit) NoteCommitted();
  if (!alive) {
    CrashDaemon();
  } else if (Chance(options_.power_cut)) {
    CutPower();
  } else {
    WriteJobsSoon();
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
  for (SweepId sweep : daemon_->core().Sweeps()) {
    for (JobId id : daemon_->core().JobsOf(sweep)) {
      committed_[id] = daemon_->core().FindJob(id)->position;
    }
  }
}

void World::CheckCommitted() {
  const bool pool_lost = std::exchange(power_failed_, false);
  for (const auto& [id, position] : committed_) {
    const Job* job = daemon_->core().FindJob(id);
    CHECK(job != nullptr) << JobName(id) << " is lost";
    if (pool_lost || job->ended() || job->restart_requested) continue;
    CHECK(Rank(job->position) >= Rank(position))
        << "seed " << options_.seed << ": " << JobName(id) << " was at step "
        << position.step << " and is at step " << job->position.step;
  }
  NoteCommitted();
}

void World::CheckAcknowledged() {
  for (size_t i = 0; i < requests_.size(); ++i) {
    if (!requests_[i].acknowledged) continue;
    const auto submission =
        daemon_->core().SubmissionOf(absl::StrCat("request-", i));
    CHECK(submission.has_value()) << "acknowledged request " << i << " is lost";
    CHECK_EQ(daemon_->core().JobsOf(submission->sweep).size(),
             requests_[i].jobs);
  }
}

// --- Workers ---

void World::Start(int worker) {
  SimProcess& process = workers_[worker];
  ++process.generation;
  process.worker =
      std::make_unique<SimWorker>(&pool_, &disk_.checkpoints, &setup_);
  process.alive = true;
  process.stopped = false;
  process.session = absl::StrCat("session-", worker, "-", process.generation);
  daemon_->Expect(WorkerId(worker + 1), process.session);
  journal::v1::WorkerProcess record;
  record.set_pid(1000 + worker);
  record.set_session(process.session);
  process.stream_open = true;
  InCore([&](Core& core) { core.WorkerStarted(WorkerId(worker + 1), record); });
  Report(worker);
  Heartbeat(worker);
}

void World::Heartbeat(int worker) {
  AtWorker(worker, kSecond, [=](SimProcess&) {
    Report(worker);
    Heartbeat(worker);
  });
}

void World::Attach(int worker) {
  AtWorker(
      worker, kMessageTime + Delay(kReconnectTime), [=](SimProcess& process) {
        if (daemon_ == nullptr || process.stopped) {
          Attach(worker);
        } else if (daemon_->session(WorkerId(worker + 1)) == process.session) {
          process.stream_open = true;
          Compute(worker);
          Report(worker);
        }
      });
}

void World::Report(int worker) {
  if (!workers_[worker].stream_open || workers_[worker].stopped) return;
  wv1::WorkerReport report = workers_[worker].worker->Report(now_);
  report.set_session(workers_[worker].session);
  const int copies = Chance(options_.duplicate) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    AtWorker(worker, Delay(kMessageTime), [=](SimProcess& process) {
      if (!process.stream_open) return;
      InCore([&](Core& core) {
        core.WorkerReported(WorkerId(worker + 1), report, now_);
      });
    });
  }
}

void World::SendDesired(WorkerId id, const wv1::DesiredState& desired) {
  const int worker = static_cast<int>(id.value()) - 1;
  const int copies = Chance(options_.duplicate) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    AtWorker(worker, Delay(kMessageTime), [=](SimProcess& process) {
      if (!process.stream_open || process.stopped) return;
      process.worker->Apply(desired);
      Compute(worker);
      Report(worker);
    });
  }
}

void World::Compute(int worker) {
  SimProcess& process = workers_[worker];
  // Without a daemon it parks.
  if (!process.stream_open || process.stopped || process.worker->computing() ||
      !process.worker->Begin(now_).has_value()) {
    return;
  }
  const wv1::Task& task = process.worker->task();
  CHECK(running_
            .insert({task.job_id(), task.kind(), task.step(), task.shard(),
                     task.first_micro_batch()})
            .second)
      << "a " << wv1::TaskKind_Name(task.kind()) << " of "
      << JobName(JobId(task.job_id())) << " runs twice at once";
  if (Chance(options_.hang)) return;
  const absl::Duration duration = Delay(kTaskTime);
  AtWorker(worker, duration, [=](SimProcess&) { TaskDone(worker, duration); });
}

void World::TaskDone(int worker, absl::Duration duration) {
  SimProcess& process = workers_[worker];
  if (process.stopped) {
    AtWorker(worker, kSecond, [=](SimProcess&) { TaskDone(worker, duration); });
    return;
  }
  if (Chance(options_.crash)) {
    Crash(worker);
    return;
  }
  const wv1::Task& task = process.worker->task();
  running_.erase({task.job_id(), task.kind(), task.step(), task.shard(),
                  task.first_micro_batch()});
  process.busy += duration;
  process.worker->Finish(Chance(options_.task_failure),
                         Chance(options_.nonfinite));
  Compute(worker);
  Report(worker);
  if (Chance(options_.stream_break)) BreakStream(worker);
  if (Chance(options_.stop)) StopProcess(worker, Delay(absl::Seconds(6)));
  if (Chance(options_.meddling)) Meddle();
}

// Messages on their way are lost; the worker attaches again.
void World::BreakStream(int worker) {
  if (!workers_[worker].stream_open) return;
  workers_[worker].stream_open = false;
  InCore(
      [&](Core& core) { core.WorkerStreamEnded(WorkerId(worker + 1), now_); });
  Attach(worker);
}

void World::StopProcess(int worker, absl::Duration time) {
  workers_[worker].stopped = true;
  AtWorker(worker, time, [=](SimProcess& process) {
    process.stopped = false;
    Compute(worker);
    Report(worker);
  });
}

// The process is gone, with half of what it was writing written.
void World::Kill(int worker) {
  SimProcess& process = workers_[worker];
  if (!process.alive) return;
  ++process.generation;
  process.alive = false;
  process.stream_open = false;
  if (!process.worker->computing()) return;
  const wv1::Task& task = process.worker->task();
  running_.erase({task.job_id(), task.kind(), task.step(), task.shard(),
                  task.first_micro_batch()});
  for (const wv1::BlockVersion& write : task.writes()) {
    if (Chance(0.5)) pool_[write.offset_bytes()] = {};
  }
}

void World::Crash(int worker) {
  const bool was_attached = workers_[worker].stream_open;
  Kill(worker);
  if (was_attached) {
    InCore([&](Core& core) {
      core.WorkerStreamEnded(WorkerId(worker + 1), now_);
    });
  }
  // A daemon that starts meanwhile sees for itself that it is gone.
  AtDaemon(Delay(kRestartTime), [=] {
    InCore([&](Core& core) {
      core.WorkerDied(WorkerId(worker + 1), "killed by the test", now_);
    });
    AtDaemon(Delay(kRestartTime), [=] { Start(worker); });
  });
}

void World::KillWorker(WorkerId worker, absl::string_view) {
  const int index = static_cast<int>(worker.value()) - 1;
  AtWorker(index, absl::ZeroDuration(), [=](SimProcess&) { Crash(index); });
}

// --- The disk ---

void World::SaveModel(const SaveRequest& request) {
  uint64_t content = 0;
  for (const Version& version : request.parameters) {
    CHECK(version.slot.has_value());
    const SimBytes& bytes = pool_[version.slot->offset];
    CHECK_EQ(bytes.version, version.id.value());
    content = content * 31 + bytes.content;
  }
  const int64_t steps = request.detail.spec().train().max_steps();
  const uint64_t trained = trained_.try_emplace(steps, content).first->second;
  CHECK_EQ(trained, content)
      << JobName(request.job) << " was trained to another model";
  CheckMetrics(request);
  const JobId job = request.job;
  AtDaemon(Delay(kTaskTime), [=] {
    ++saves_;
    InCore([&](Core& core) { core.ModelSaved(job, absl::OkStatus(), now_); });
  });
}

// Losses follow from contents: each must be there, once, and be that of every
// other job. A power cut may take the newest ones, since they are on the disk a
// little after what they tell of.
void World::CheckMetrics(const SaveRequest& request) {
  std::map<std::pair<int64_t, std::string>, double> losses;
  for (const v1::StepMetrics& step : request.detail.steps()) {
    CHECK(losses.insert({{step.step(), "train"}, step.train_loss()}).second);
  }
  for (const v1::EvaluationMetrics& evaluation : request.detail.evaluations()) {
    CHECK(losses
              .insert(
                  {{evaluation.step(), evaluation.split()}, evaluation.loss()})
              .second);
  }
  for (const auto& [what, loss] : losses) {
    CHECK_EQ(losses_.try_emplace(what, loss).first->second, loss)
        << JobName(request.job) << " step " << what.first << ", "
        << what.second;
  }
  const int64_t steps = request.detail.spec().train().max_steps();
  if (options_.power_cut == 0) {
    CHECK_EQ(request.detail.steps_size(), steps);
    // Every second step, and at the end with the test split.
    CHECK_EQ(request.detail.evaluations_size(), (steps + 1) / 2 + 1)
        << request.detail.DebugString();
  }
}

void World::WriteCheckpoint(const CheckpointRequest& request) {
  auto made = std::make_shared<SimCheckpoint>();
  made->job = request.job;
  made->record.mutable_info()->set_path(request.path);
  made->record.mutable_info()->set_step(request.manifest.position().step());
  made->record.mutable_info()->set_inside_step(
      request.manifest.cut_points_size() > 0);
  *made->record.mutable_position() = request.manifest.position();
  *made->record.mutable_cut_points() = request.manifest.cut_points();
  made->record.set_nonfinite_in_a_row(request.manifest.nonfinite_in_a_row());
  made->record.set_last_nonfinite_step(request.manifest.last_nonfinite_step());
  *made->record.mutable_splits() = request.manifest.splits();
  made->damaged = Chance(options_.checkpoint_damage);
  WriteBlock(std::make_shared<const CheckpointRequest>(request), made, 0);
}

void World::WriteBlock(std::shared_ptr<const CheckpointRequest> request,
                       std::shared_ptr<SimCheckpoint> made, size_t index) {
  AtDaemon(Delay(kDiskTime), [=] {
    const JobId job = request->job;
    if (Chance(options_.checkpoint_failure / request->blocks.size())) {
      InCore([&](Core& core) {
        core.CheckpointWritten(job, absl::ResourceExhaustedError("disk full"),
                               now_);
      });
      return;
    }
    if (index == request->blocks.size()) {
      ++checkpoints_written_;
      disk_.checkpoints[request->path] = *made;
      InCore([&](Core& core) { core.CheckpointWritten(job, 1000, now_); });
      return;
    }
    const auto& [key, version] = request->blocks[index];
    made->contents[key] = 0;
    if (version.slot.has_value()) {
      const SimBytes& bytes = pool_[version.slot->offset];
      CHECK_EQ(bytes.version, version.id.value())
          << "a pinned version was written over";
      made->contents[key] = bytes.content;
    }
    InCore([&](Core& core) { core.CheckpointBlockWritten(job, index, now_); });
    WriteBlock(request, made, index + 1);
  });
}

void World::RemoveCheckpoint(const std::string& path) {
  disk_.checkpoints.erase(path);
}

// --- The user ---

NewJob World::SmallJob(int64_t steps) {
  NewJob job;
  job.model_config_json = kConfig;
  job.spec.set_name("small");
  v1::TrainSpec& train = *job.spec.mutable_train();
  train.set_max_steps(steps);
  train.set_per_device_train_batch_size(2);
  train.set_gradient_accumulation_steps(2);
  train.set_context_length(8);
  train.set_optim(v1::OPTIMIZER_ADAMW);
  job.spec.mutable_evaluation()->set_per_device_eval_batch_size(2);
  job.spec.mutable_evaluation()->set_eval_steps(2);
  job.spec.mutable_output()->set_save_model(true);
  job.spec.mutable_checkpoint()->set_every_steps(2);
  job.spec.mutable_checkpoint()->set_keep_last(2);
  job.spec.mutable_checkpoint()->set_keep_best(true);
  job.table = *TableOf(job.spec, job.model_config_json);
  return job;
}

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
    (void)core.Submit(std::vector<NewJob>(requests_[index].jobs, job), id,
                      now_);
  });
  At(kDiskTime, [=] {
    if (daemon_ != nullptr) {
      const auto submission = daemon_->core().SubmissionOf(id);
      if (submission.has_value() &&
          !daemon_->core().JobsOf(submission->sweep).empty()) {
        requests_[index].acknowledged = true;
        return;
      }
    }
    At(kDiskTime, [=] { TrySubmit(index); });
  });
}

void World::Meddle() {
  if (daemon_ == nullptr || daemon_->core().Sweeps().empty()) return;
  std::vector<JobId> jobs;
  for (SweepId sweep : daemon_->core().Sweeps()) {
    for (JobId job : daemon_->core().JobsOf(sweep)) jobs.push_back(job);
  }
  const JobId job = jobs[random_() % jobs.size()];
  const int what = static_cast<int>(random_() % 10);
  InCore([&](Core& core) {
    if (what < 5) {
      core.Pause(job, now_);
    } else if (what < 9) {
      core.Resume(job, now_);
    } else {
      core.Cancel(job, /*delete_checkpoints=*/Chance(0.5), now_);
    }
  });
  ResumeLater(job);
}

// Nobody forgets a job for ever.
void World::ResumeLater(JobId id) {
  At(absl::Seconds(5), [=] {
    InCore([&](Core& core) {
      if (core.FindJob(id) != nullptr) core.Resume(id, now_);
    });
    const Job* job = daemon_ == nullptr ? nullptr : daemon_->core().FindJob(id);
    const bool heard = daemon_ != nullptr &&
                       (job == nullptr || (job->state != v1::JOB_STATE_PAUSED &&
                                           !job->pause_requested));
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
  for (SweepId sweep : daemon_->core().Sweeps()) {
    for (JobId id : daemon_->core().JobsOf(sweep)) {
      const Job& job = *daemon_->core().FindJob(id);
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
  for (SweepId sweep : daemon_->core().Sweeps()) {
    for (JobId job : daemon_->core().JobsOf(sweep)) {
      if (!daemon_->core().FindJob(job)->ended()) return false;
    }
  }
  return true;
}

void World::RunUntilJobsEnd() {
  RunUntil([this] { return AllJobsEnded(); });
}

}  // namespace hydra
