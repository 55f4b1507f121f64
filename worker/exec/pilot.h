#ifndef HYDRA_WORKER_EXEC_PILOT_H_
#define HYDRA_WORKER_EXEC_PILOT_H_

#include <cstdint>
#include <variant>

#include "hydra/worker/v1/worker.pb.h"
#include "worker/device/device.h"
#include "worker/exec/job_model.h"
#include "worker/exec/log_sink.h"
#include "worker/exec/task_failure.h"
#include "worker/task/task_control.h"

namespace hydra {

// What a pilot leaves free of the device: room for prefetching, and one
// fiftieth because memory may lie more scattered when a task runs than it did
// in the pilot.
int64_t PilotReserveBytes(int64_t prefetch_bytes, int64_t limit_bytes);

using PilotOutcome = std::variant<worker::v1::PilotResult, TaskFailure>;

// PILOT: finds where to cut the model so that every shard's passes fit the
// device, with job.prefetch_bytes to spare, and measures every layer.
//
// First shards are made as long as possible, from the first layer on. This is
// Algorithm 1 of Hydra's paper, with a real pass in place of a forward and a
// backward for each layer: layers are placed until the device refuses; where
// the forward alone ran out, the first guess of the cut is before that layer;
// if the whole pass needs more, the cut is searched by bisection.
//
// That tells what each layer costs. Unless the job asks for the longest shards,
// those of the fastest step are then found (StepModel), and taken if they are
// worth it and each of them is seen to fit, too.
//
// A last layer whose table does not fit is tried with the table in ranges of
// rows, see StreamedBlock.
//
// A layer's times are without copies, for one micro-batch. An update counts as
// backward, and each micro-batch has its share of it. The last layer may
// compute forward and backward in one when it trains: its forward is an
// evaluation's.
//
// `device` must hold nothing that can go: the caller empties its cache.
//
// Also finds where parameters should be updated, before the trials, which
// update there.
//
// INVALID_ARGUMENT: the job asks for updates on a device that makes none.
// RESOURCE_EXHAUSTED: a layer, or a boundary tensor, does not fit the device
//   alone; the failure names the layer.
//
// Throws TaskStopped if `control` says so.
PilotOutcome RunPilot(const worker::v1::JobContext& job, const JobModel& model,
                      Device* device, LogSink& log, TaskControl* control);

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_PILOT_H_
