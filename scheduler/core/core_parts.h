#ifndef HYDRA_SCHEDULER_CORE_CORE_PARTS_H_
#define HYDRA_SCHEDULER_CORE_CORE_PARTS_H_

#include "scheduler/core/actions.h"
#include "scheduler/core/admission.h"
#include "scheduler/core/block_table.h"
#include "scheduler/core/checkpoints.h"
#include "scheduler/core/claims.h"
#include "scheduler/core/core_options.h"
#include "scheduler/core/dispatcher.h"
#include "scheduler/core/drains.h"
#include "scheduler/core/hands.h"
#include "scheduler/core/intake.h"
#include "scheduler/core/job_archive.h"
#include "scheduler/core/job_book.h"
#include "scheduler/core/job_life.h"
#include "scheduler/core/job_queue.h"
#include "scheduler/core/job_start.h"
#include "scheduler/core/quotas.h"
#include "scheduler/core/room_reclaimer.h"
#include "scheduler/core/roster.h"
#include "scheduler/core/share_recorder.h"
#include "scheduler/core/shared_bases.h"
#include "scheduler/core/shared_models.h"
#include "scheduler/core/task_results.h"
#include "scheduler/core/wait_explainer.h"
#include "scheduler/core/worker_events.h"
#include "scheduler/journal/journal.h"
#include "scheduler/policy/policy.h"
#include "scheduler/policy/share_order.h"

namespace hydra {

// What the core consists of, each an owner of its state. A part knows those
// alone that stand above it here, so none calls back.
struct CoreParts {
  CoreParts(CoreOptions core_options, Policy* policy, Journal* core_journal);

  CoreOptions options;
  Journal* const journal;
  Actions actions;

  // Whose turn it is.
  ShareOrder shares;
  ShareRecorder share_recorder;

  // What is known.
  JobBook book;
  JobQueue queue;
  BlockTable blocks;
  Admission admission;
  Quotas quotas;
  SharedModels models;
  Claims claims;
  SharedBases bases;
  Roster roster;
  Drains drains;

  // Who changes it.
  JobArchive archive;
  Intake intake;
  Checkpoints checkpoints;
  Hands hands;
  JobStart start;
  JobLife life;
  RoomReclaimer reclaimer;
  TaskResults results;
  WorkerEvents events;
  Dispatcher dispatcher;
  WaitExplainer explainer;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_CORE_CORE_PARTS_H_
