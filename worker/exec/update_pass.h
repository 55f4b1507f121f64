#ifndef HYDRA_WORKER_EXEC_UPDATE_PASS_H_
#define HYDRA_WORKER_EXEC_UPDATE_PASS_H_

#include "hydra/worker/v1/worker.pb.h"
#include "worker/exec/pass.h"

namespace hydra {

// UPDATE: the blocks that the shard owns are updated with the gradients that
// BACKWARD and TURN left in the pool. The host does it, from slots to slots:
// nothing is left for the device. With train.fp16 they are divided by the scale
// that the task says the loss had, with train.max_grad_norm scaled down if the
// norm of all of the model's is above that; with either, no block is updated if
// the norm is not finite. The norm is in the pass's results then; the skipped
// blocks are in any case.
worker::v1::PassResult RunUpdatePass(const Pass& pass);

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_UPDATE_PASS_H_
