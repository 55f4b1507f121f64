#ifndef HYDRA_WORKER_EXEC_TASK_SHAPE_H_
#define HYDRA_WORKER_EXEC_TASK_SHAPE_H_

#include <cstddef>
#include <tuple>

#include "hydra/worker/v1/worker.pb.h"

namespace hydra {

// Tasks of the same shape need the same device memory: they are of one kind and
// over the same layers, and of one job or of jobs that differ in nothing that
// counts for it, such as those of a sweep over learning rates and seeds.
//
// Jobs are told apart by a hash, so two may be taken for one, in one case of
// 2^64.
using TaskShape = std::tuple<size_t, worker::v1::TaskKind, int /*first_layer*/,
                             int /*last_layer*/>;

// Only within one process is it always the same.
TaskShape TaskShapeOf(const worker::v1::Task& task,
                      const worker::v1::JobContext& job);

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_TASK_SHAPE_H_
