#ifndef HYDRA_WORKER_EXEC_UPDATE_PASS_H_
#define HYDRA_WORKER_EXEC_UPDATE_PASS_H_

#include "hydra/worker/v1/worker.pb.h"
#include "worker/exec/pass.h"

namespace hydra {

// UPDATE: the blocks that the shard owns are updated with the gradients that
// BACKWARD and TURN left in the pool. The host does it, from slots to slots:
// nothing is left for the device. With train.max_grad_norm they are scaled down
// if the norm of all of the model's is above that, and if it is not finite, no
// block is updated. The norm is in the pass's results then; the skipped blocks
// are in any case.
worker::v1::PassResult RunUpdatePass(const Pass& pass);

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_UPDATE_PASS_H_
