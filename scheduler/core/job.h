#ifndef HYDRA_SCHEDULER_CORE_JOB_H_
#define HYDRA_SCHEDULER_CORE_JOB_H_

#include <limits>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "common/chain/job_shape.h"
#include "common/chain/task_chain.h"
#include "common/ids/ids.h"
#include "hydra/checkpoint/v1/checkpoint.pb.h"
#include "hydra/journal/v1/journal.pb.h"
#include "hydra/v1/job.pb.h"
#include "hydra/v1/status.pb.h"
#include "hydra/worker/v1/worker.pb.h"
#include "scheduler/core/block_table.h"
#include "scheduler/core/caller.h"
#include "scheduler/core/detail_parts.h"
#include "scheduler/core/intent.h"
#include "scheduler/core/new_job.h"
#include "scheduler/core/time_model.h"
#include "scheduler/policy/account.h"
#include "scheduler/policy/job_view.h"

namespace hydra {

// A task that a worker was told of and whose report is not recorded yet.
struct OutstandingTask {
  TaskId id;
  WorkerId worker;
  // Absent for PREPARE and PILOT.
  std::optional<ChainPosition> position;
  ChainTask task;
  // As the worker is told.
  hydra::worker::v1::Task wire;
  std::vector<std::pair<BlockKey, Version>> made;
  // Infinitely long ago: by an earlier daemon.
  absl::Time handed_out_at = absl::InfinitePast();
  // WorkerRecord::idle_since, when it was handed out.
  absl::Time idle_since = absl::InfiniteFuture();
  // The first message to the worker that named it.
  uint64_t told_in = 0;
  bool begun = false;
  // By the daemon's clock, as far as its worker said so.
  absl::Time begun_at = absl::InfiniteFuture();
  // What its account was promised to use for it (share_ledger.h).
  absl::Duration promised;
  // Begun, and nothing is left of it but copying what it made to the host.
  bool computed = false;
  // As its worker says, see HeldTask.
  uint64_t progress = 0;
  // When it began, or last got on since, by the daemon's clock.
  absl::Time got_on_at = absl::InfiniteFuture();
  // Missing from the worker's desired state; it is the worker's until a message
  // shows that it was dropped.
  bool withdrawing = false;
  // Its worker was told to stop it, and may report it as aborted.
  bool told_to_stop = false;
  // An earlier daemon gave up what came before it in the chain: whatever its
  // report says, it comes to nothing.
  bool stray = false;
};

// A checkpoint that is being written. Its blocks are pinned until they are
// written, in this order.
struct CheckpointRun {
  journal::v1::CheckpointRecord record;
  std::vector<std::pair<BlockKey, Version>> blocks;
  size_t written = 0;
};

// One job: where it is in its chain, its outstanding tasks, what it measured.
// A plain record that the core changes; not thread-safe.
//
// The outstanding tasks are consecutive in the chain, beginning at `position`,
// and all in the hand of one worker; but for strays, which come to nothing.
struct Job : DetailParts {
  JobId id;
  SweepId sweep;
  // Who submitted it. Unknown: by TCP, or under an earlier version.
  Caller owner;
  // The group of its project. None: it has none.
  std::optional<gid_t> project_group;
  // Of its user's jobs, the higher one goes first.
  int priority = 0;
  // Its table is moved into `shape`, its record to the journal.
  NewJob submitted;
  JobShape shape;

  // Of its state.
  std::string reason;
  // The first task that is not committed.
  ChainPosition position;
  ChainPlan plan;
  // A hand is small; and an empty deque would take half a kilobyte.
  std::vector<OutstandingTask> outstanding;

  std::vector<hydra::worker::v1::PreparedSplit> splits;
  // Of the device that the partition was found on: smaller ones cannot run it.
  // 0: any may.
  int64_t partition_limit_bytes = 0;
  // The key of the pilot that it runs for others, too.
  std::string pilot_claim;
  std::optional<TimeModel> times;
  // Of a step, by its first `times`.
  absl::Duration estimated_step;

  // Worker deaths during the job's tasks since the last commit.
  int crashes_in_a_row = 0;
  std::set<WorkerId> crashed_on;
  // Since when no device took its next task, though one could.
  absl::Time queued_since = absl::InfinitePast();
  // The bytes of the fresh slots for which the pool had no room when its next
  // task was to be handed out; 0: it had, or nobody tried.
  int64_t refused_write_bytes = 0;
  // Tasks that failed since the last commit, for a reason that may pass.
  int failures_in_a_row = 0;
  // No task before.
  absl::Time rests_until = absl::InfinitePast();
  // Device bytes that its pilot leaves free beside the usual ones, since shards
  // that were cut with less did not fit.
  int64_t pilot_reserve_bytes = 0;
  // The newest lines that workers wrote for it, for whoever asks why it failed.
  std::vector<std::string> last_lines;
  // Steps with a loss or gradient that is infinite or no number.
  int nonfinite_in_a_row = 0;
  int64_t last_nonfinite_step = -1;

  std::optional<CheckpointRun> writing;
  // When the newest one was begun, or the job.
  absl::Time checkpointed_at = absl::InfinitePast();
  // Since when one is due that is due by its number of steps.
  absl::Time checkpoint_due_at = absl::InfiniteFuture();
  // When one becomes due again that could not be written.
  absl::Time checkpoint_again_at = absl::InfiniteFuture();
  // The newest end of a step, or when the job was begun.
  absl::Time step_ended_at = absl::InfinitePast();
  // Where INIT takes the blocks from; set with plan.resume.
  std::string restore_dir;
  // What it shall do when no task is out.
  Intent intent = Intent::kGoOn;
  // It shall pause for its room in the pool alone, and go on when there is some
  // again.
  bool yields = false;
  // When it came into the pool last.
  absl::Time admitted_at = absl::InfinitePast();
  // Of kHold: what somebody has to look at.
  std::string hold_reason;
  // It was paused for such a reason, and then its user resumed it: it does go
  // on, whatever that costs.
  bool insists = false;
  // For a cancelled job.
  bool delete_checkpoints = false;
  std::string output_path;
  // When to try again to write the trained model, if that failed.
  absl::Time save_again_at = absl::InfinitePast();
  // All steps but the newest, and what the pilot measured, are in jobs.db
  // alone.
  bool summary_only = false;
  // Of the step under way: what its rounds lost so far.
  checkpoint::v1::StepLoss step_loss;
  // Of the step at `position` where the loss is scaled, see loss_scale.h.
  checkpoint::v1::LossScale loss_scale;
  // Sums of the evaluation under way.
  double eval_loss_sum = 0;
  int64_t eval_tokens = 0;
  int64_t eval_correct = 0;
  absl::Time submitted_at = absl::InfinitePast();
  absl::Time started_at = absl::InfinitePast();
  // As far as all of it is known.
  std::optional<journal::v1::StepCost> step_under_way;
  // Of its newest steps, see JobStatus.
  double tokens_per_second = 0;
  // When the steps that were not there before began, and with which one.
  absl::Time training_since = absl::InfinitePast();
  int64_t training_from_step = 0;
  absl::Time ended_at = absl::InfinitePast();

  hydra::v1::JobState state() const { return state_; }
  hydra::v1::JobPhase phase() const { return phase_; }
  bool ended() const { return phase_ == hydra::v1::JOB_PHASE_ENDED; }
  bool in_chain() const { return times.has_value() && !ended(); }
  // Null: it is none of them.
  const OutstandingTask* FindOutstanding(TaskId id) const;
  // The place of the next task to hand out.
  ChainPosition NextPosition() const;
  // Whether a worker should get the task at `place`, which comes behind those
  // that are out: not past the place where the job pauses or begins again, nor
  // past an evaluation that may end it; nor, of a scaled loss, to where the
  // scale is needed before the step is done that it follows from.
  bool MayGoOn(const ChainPosition& place) const;
  // Its intent becomes what follows from the event, which must be one that can
  // happen.
  void Hear(IntentEvent event);
  // Since when, or when, a checkpoint is due at an end of a step that is the
  // end of `steps` steps, and comes at `end`.
  absl::Time CheckpointDue(int64_t steps, absl::Time end) const;
  // Infinite while it is not known, so that such jobs find it out first.
  absl::Duration RemainingFrom(const ChainPosition& place) const;
  // Frees what only a job that goes on needs.
  void DropWorkingData();
  // Frees what lists and summaries do not show.
  void KeepSummaryOnly();
  // Tokens of one step.
  int64_t StepTokens() const;

 private:
  // job_move.h has all that changes them.
  friend void RestoreState(Job& job, hydra::v1::JobState state,
                           std::string reason);
  friend void RestorePhase(Job& job, hydra::v1::JobPhase phase);

  hydra::v1::JobState state_ = hydra::v1::JOB_STATE_PENDING;
  hydra::v1::JobPhase phase_ = hydra::v1::JOB_PHASE_PREPARE;
};

// Whether their frozen parameters are the same, and they have some.
bool HaveSameBase(const Job& a, const Job& b);

// Whose share of the devices its tasks take. All who ask come through here.
Account AccountOf(const Job& job);

// What the policy knows of the job, were it at `place`.
JobView ViewAt(const Job& job, const ChainPosition& place);

// Where its tasks update parameters, on devices with memory of their own: as
// the pilot found, which knows what the job asks for.
hydra::v1::UpdatePlace UpdatePlaceOf(const Job& job);

// What clients are told of a place that is not the end.
hydra::v1::JobPhase ChainPhase(const ChainPosition& position);

// The folder that the job `name` writes to, and the one in it for checkpoints.
std::string OutputPath(JobId id, const std::string& output_dir,
                       const std::string& name);
std::string CheckpointFolder(const std::string& output_path);

// "BACKWARD"
std::string KindName(hydra::worker::v1::TaskKind kind);

// "j7", "s3".
std::string JobName(JobId id);
std::string SweepName(SweepId id);

hydra::v1::JobStatus StatusOf(const Job& job);
// As many steps as are in memory.
inline constexpr int kAllSteps = std::numeric_limits<int>::max();
// At most `max_steps` of the newest steps, of those that are in memory.
hydra::v1::JobDetail DetailOf(const Job& job, int max_steps);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_JOB_H_
