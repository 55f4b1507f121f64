#include "scheduler/sim/world.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "glog/logging.h"

namespace hydra {
namespace {

namespace wv1 = hydra::worker::v1;

constexpr absl::Duration kMessageTime = absl::Milliseconds(2);
constexpr absl::Duration kTaskTime = absl::Milliseconds(100);
constexpr absl::Duration kRestartTime = absl::Milliseconds(50);

}  // namespace

World::World(const Options& options)
    : options_(options), random_(options.seed) {
  Core::Options core;
  core.pool_first_byte = 4096;
  core.pool_bytes = options.pool_bytes;
  core.lookahead = options.lookahead;
  core.poison_crashes = options.poison_crashes;
  for (int i = 0; i < options.workers; ++i) {
    core.devices.push_back({absl::StrCat("cpu:", i), 1 << 20, 1});
  }
  core_ = std::make_unique<Core>(std::move(core), &policy_, &journal_, this);
  workers_.resize(options.workers);
  for (int i = 0; i < options.workers; ++i) Start(i);
}

World::~World() = default;

absl::Duration World::Delay(absl::Duration longest) {
  return longest * std::uniform_real_distribution<double>(0, 1)(random_);
}

bool World::Chance(double probability) {
  return std::uniform_real_distribution<double>(0, 1)(random_) < probability;
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

void World::Start(int worker) {
  SimProcess& process = workers_[worker];
  ++process.generation;
  process.worker = std::make_unique<SimWorker>(&pool_);
  process.stream_open = true;
  core_->WorkerStarted(WorkerId(worker + 1), 1000 + worker);
  Report(worker);
}

void World::Report(int worker) {
  if (!workers_[worker].stream_open) return;
  const wv1::WorkerReport report = workers_[worker].worker->Report();
  const int copies = Chance(options_.duplicate) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    AtWorker(worker, Delay(kMessageTime), [=](SimProcess& process) {
      if (!process.stream_open) return;
      core_->WorkerReported(WorkerId(worker + 1), report, now_);
    });
  }
}

void World::SendDesired(WorkerId id, const wv1::DesiredState& desired) {
  const int worker = static_cast<int>(id.value()) - 1;
  const int copies = Chance(options_.duplicate) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    AtWorker(worker, Delay(kMessageTime), [=](SimProcess& process) {
      if (!process.stream_open) return;
      process.worker->Apply(desired);
      Compute(worker);
      Report(worker);
    });
  }
}

void World::Compute(int worker) {
  SimProcess& process = workers_[worker];
  if (process.worker->computing() || !process.worker->Begin().has_value()) {
    return;
  }
  const absl::Duration duration = Delay(kTaskTime);
  AtWorker(worker, duration, [=](SimProcess&) { TaskDone(worker, duration); });
}

void World::TaskDone(int worker, absl::Duration duration) {
  if (Chance(options_.crash)) {
    Crash(worker);
    return;
  }
  SimProcess& process = workers_[worker];
  process.busy += duration;
  process.worker->Finish(Chance(options_.task_failure));
  Compute(worker);
  Report(worker);
  if (Chance(options_.stream_break)) BreakStream(worker);
}

// Messages on their way are lost; the worker attaches again.
void World::BreakStream(int worker) {
  workers_[worker].stream_open = false;
  core_->WorkerStreamEnded(WorkerId(worker + 1), now_);
  AtWorker(worker, kMessageTime + Delay(kMessageTime),
           [=](SimProcess& process) {
             process.stream_open = true;
             Report(worker);
           });
}

void World::Crash(int worker) {
  SimProcess& process = workers_[worker];
  ++process.generation;
  process.stream_open = false;
  core_->WorkerStreamEnded(WorkerId(worker + 1), now_);
  AtWorker(worker, Delay(kRestartTime), [=](SimProcess&) {
    core_->WorkerDied(WorkerId(worker + 1), now_);
    AtWorker(worker, Delay(kRestartTime), [=](SimProcess&) { Start(worker); });
  });
}

void World::KillWorker(WorkerId worker, absl::string_view) {
  Crash(static_cast<int>(worker.value()) - 1);
}

void World::SaveModel(const SaveRequest& request) {
  for (const Version& version : request.parameters) {
    CHECK(version.slot.has_value());
    CHECK_EQ(pool_[version.slot->offset], version.id.value());
  }
  const JobId job = request.job;
  At(Delay(kTaskTime), [=] {
    ++saves_;
    core_->ModelSaved(job, absl::OkStatus(), now_);
  });
}

NewJob World::SmallJob(int64_t steps) {
  Gpt2Config config;
  config.vocab_size = 64;
  config.n_positions = 8;
  config.n_embd = 16;
  config.n_layer = 2;
  config.n_head = 2;
  config.n_inner = 64;
  NewJob job;
  job.table = BuildGpt2Table(config);
  job.spec.set_name("small");
  hydra::v1::TrainSpec& train = *job.spec.mutable_train();
  train.set_max_steps(steps);
  train.set_per_device_train_batch_size(2);
  train.set_gradient_accumulation_steps(2);
  train.set_context_length(8);
  train.set_optim(hydra::v1::OPTIMIZER_ADAMW);
  job.spec.mutable_evaluation()->set_per_device_eval_batch_size(2);
  job.spec.mutable_evaluation()->set_eval_steps(2);
  job.spec.mutable_output()->set_save_model(true);
  return job;
}

SweepId World::Submit(int jobs, int64_t steps) {
  return *core_->Submit(std::vector<NewJob>(jobs, SmallJob(steps)),
                        /*request_id=*/"", now_);
}

void World::RunUntil(const std::function<bool()>& done) {
  while (!agenda_.empty() && !done()) {
    auto next = agenda_.begin();
    now_ = next->first.first;
    const std::function<void()> action = std::move(next->second);
    agenda_.erase(next);
    action();
    ++events_;
    core_->CheckInvariants();
  }
}

bool World::AllJobsEnded() const {
  for (SweepId sweep : core_->Sweeps()) {
    for (JobId job : core_->JobsOf(sweep)) {
      if (!core_->FindJob(job)->ended()) return false;
    }
  }
  return true;
}

void World::RunUntilJobsEnd() {
  RunUntil([this] { return AllJobsEnded(); });
}

}  // namespace hydra
