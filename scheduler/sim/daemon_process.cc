#include "scheduler/sim/daemon_process.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "scheduler/sim/delays.h"

namespace hydra {
namespace {

// Of the first worker's device.
constexpr int64_t kDeviceBytes = 1 << 20;

Core::Options CoreOptionsOf(const WorldOptions& world) {
  Core::Options core;
  core.pool_first_byte = 4096;
  core.pool_bytes = world.pool_bytes;
  core.lookahead = world.lookahead;
  core.promised_tenths = world.promised_tenths;
  core.poison_crashes = world.poison_crashes;
  core.advances_in_one_go = world.advances_in_one_go;
  core.watchdog_unmeasured = absl::Minutes(1);
  core.shares = world.shares;
  core.reclaim_room = world.reclaim_room;
  for (int i = 0; i < world.workers; ++i) {
    core.devices.push_back(
        {absl::StrCat("cpu:", i),
         world.equal_devices ? kDeviceBytes : kDeviceBytes << i, 1, "simulated",
         world.devices_have_own_memory});
  }
  return core;
}

}  // namespace

DaemonProcess::DaemonProcess(SimMachine* machine, Callbacks callbacks)
    : machine_(machine), callbacks_(std::move(callbacks)) {}

void DaemonProcess::Start() {
  ++starts_;
  const absl::Time now = machine_->agenda.now();
  daemon_ = std::make_unique<SimDaemon>(CoreOptionsOf(machine_->options),
                                        &machine_->disk, callbacks_.carry_out,
                                        callbacks_.is_alive, now);
  daemon_->Begin(now);
  callbacks_.begun();
  TickSoon();
  WriteJobsSoon();
  ContinueSoon();
}

void DaemonProcess::Crash() {
  if (!is_up()) return;
  daemon_.reset();
  ++generation_;
  write_planned_ = false;
  callbacks_.died();
  machine_->agenda.At(machine_->random.Delay(kDaemonRestartTime),
                      [this] { Start(); });
}

void DaemonProcess::InCore(const std::function<void(Core&)>& event) {
  if (!is_up()) return;
  SimRandom& random = machine_->random;
  SimDaemon::Crash crash = SimDaemon::Crash::kNone;
  if (random.Chance(machine_->options.daemon_crash)) {
    crash = random.Chance(0.5) ? SimDaemon::Crash::kBeforeCommit
                               : SimDaemon::Crash::kAfterCommit;
  }
  const bool alive = daemon_->Turn(event, machine_->agenda.now(), crash);
  if (crash != SimDaemon::Crash::kBeforeCommit) callbacks_.committed();
  if (!alive) {
    Crash();
  } else if (random.Chance(machine_->options.power_cut)) {
    callbacks_.power_fails();
  } else {
    WriteJobsSoon();
    ContinueSoon();
  }
}

void DaemonProcess::At(absl::Duration delay, std::function<void()> event) {
  if (!is_up()) return;
  const int generation = generation_;
  machine_->agenda.At(delay, [this, generation, event = std::move(event)] {
    if (generation_ == generation) event();
  });
}

void DaemonProcess::TickSoon() {
  At(kSecond, [this] {
    InCore([this](Core& core) { core.Tick(machine_->agenda.now()); });
    TickSoon();
  });
}

void DaemonProcess::WriteJobsSoon() {
  if (write_planned_ || !daemon_->has_unwritten()) return;
  write_planned_ = true;
  At(machine_->random.Delay(kDiskTime), [this] {
    write_planned_ = false;
    const bool alive = daemon_->WriteJobs(
        machine_->agenda.now(),
        machine_->random.Chance(machine_->options.daemon_crash)
            ? SimDaemon::Crash::kBeforeCommit
            : SimDaemon::Crash::kNone);
    if (alive) {
      WriteJobsSoon();
      ContinueSoon();
    } else {
      Crash();
    }
  });
}

void DaemonProcess::ContinueSoon() {
  if (!core().has_more_work()) return;
  At(absl::ZeroDuration(), [this] { InCore([](Core&) {}); });
}

}  // namespace hydra
