#ifndef HYDRA_SCHEDULER_SIM_WORLD_OPTIONS_H_
#define HYDRA_SCHEDULER_SIM_WORLD_OPTIONS_H_

#include <cstdint>

#include "absl/time/time.h"
#include "scheduler/policy/share_ledger.h"

namespace hydra {

// What a simulated world is like, and how often something breaks in it.
struct WorldOptions {
  uint64_t seed = 1;
  int workers = 2;
  int lookahead = 1;
  int64_t pool_bytes = int64_t{64} << 20;
  // Of the pool, see Core::Options.
  int promised_tenths = 9;
  // Else each has twice the memory of the one before.
  bool equal_devices = true;
  // What the host makes has to come to them.
  bool devices_have_own_memory = false;
  // Chances, for each finished task.
  double crash = 0;
  double stream_break = 0;
  // For a reason that may pass, and for one in what the user gave.
  double task_failure = 0;
  double data_failure = 0;
  double hang = 0;
  // What it made is on its way to the host while the next one computes.
  double written_later = 0;
  // It takes long, and gets on.
  double long_task = 0;
  // The gradient of some block is no number.
  double nonfinite = 0;
  // The process stands still, for up to twice the lease.
  double stop = 0;
  // Chance that a message arrives twice.
  double duplicate = 0;
  // Chances, for each turn of the daemon.
  double daemon_crash = 0;
  double power_cut = 0;
  // Chances, for each checkpoint.
  double checkpoint_failure = 0;
  double checkpoint_damage = 0;
  // Chance that the user pauses, resumes or cancels some job, for each
  // finished task.
  double meddling = 0;
  int poison_crashes = 1'000'000;
  // Of every job.
  int max_nonfinite_steps = 0;
  int early_stopping_patience = 0;
  double max_grad_norm = 0;
  // With a scaled loss, and some steps that overflow, the same ones of each
  // job.
  bool fp16 = false;
  int micro_batches = 2;
  int micro_batches_per_round = 2;
  // How often every job is saved; 0: after every second step.
  double checkpoint_minutes = 0;
  // The longest that the disk takes for a block of a checkpoint.
  absl::Duration block_time = absl::Milliseconds(20);
  // Waiting jobs that one event looks at.
  int advances_in_one_go = 100;
  // How users share the devices.
  ShareOptions shares;
  bool reclaim_room = false;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SIM_WORLD_OPTIONS_H_
