#ifndef HYDRA_WORKER_EXEC_BACKWARD_PASS_H_
#define HYDRA_WORKER_EXEC_BACKWARD_PASS_H_

#include "hydra/worker/v1/worker.pb.h"
#include "worker/exec/pass.h"

namespace hydra {

// BACKWARD and TURN: for each micro-batch, the shard's layers are run again
// from the shard's input, each recorded by itself, then differentiated from
// last to first. Gradients sum in the order of micro-batches. With the last
// micro-batch each layer is updated directly after its own backward, and its
// memory goes.
//
// Blocks with a gradient that is not finite are skipped, see UpdateBlock, and
// named in the pass's results. If the loss of a micro-batch is not finite, so
// are all gradients from then on: no block of the model is updated in that
// step.
//
// A pilot gives fewer batches than its task names micro-batches. What a pass
// keeps of each micro-batch is then kept as the task's whole number would have
// it kept, see RowGradientSum.
worker::v1::PassResult RunBackwardPass(const Pass& pass);

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_BACKWARD_PASS_H_
