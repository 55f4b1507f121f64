#ifndef HYDRA_WORKER_EXEC_TASK_FAILURE_H_
#define HYDRA_WORKER_EXEC_TASK_FAILURE_H_

#include <string>

#include "absl/status/status.h"
#include "hydra/worker/v1/worker.pb.h"

namespace hydra {

// Why a task, or one attempt at it, failed.
struct TaskFailure {
  // Not OK.
  absl::Status status;
  // The layer that it failed at; -1: none, or it is not known which.
  int layer = -1;
  // The device's memory ran out: another attempt may do if less is in its way.
  bool out_of_memory = false;
};

inline void SetError(const TaskFailure& failure,
                     worker::v1::TaskReport& report) {
  worker::v1::TaskError* const error = report.mutable_error();
  error->set_code(static_cast<int>(failure.status.code()));
  error->set_message(std::string(failure.status.message()));
  error->set_layer(failure.layer);
}

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_TASK_FAILURE_H_
