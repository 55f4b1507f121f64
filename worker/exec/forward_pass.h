#ifndef HYDRA_WORKER_EXEC_FORWARD_PASS_H_
#define HYDRA_WORKER_EXEC_FORWARD_PASS_H_

#include "hydra/worker/v1/worker.pb.h"
#include "worker/exec/pass.h"

namespace hydra {

// FORWARD and EVALUATE: batch after batch through the shard's layers; the
// output activations go to their slots, or, behind the head, the losses are
// summed.
worker::v1::PassResult RunForwardPass(const Pass& pass);

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_FORWARD_PASS_H_
