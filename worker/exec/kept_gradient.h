#ifndef HYDRA_WORKER_EXEC_KEPT_GRADIENT_H_
#define HYDRA_WORKER_EXEC_KEPT_GRADIENT_H_

#include <memory>

#include "ATen/core/Tensor.h"
#include "worker/exec/pass.h"
#include "worker/exec/row_gradient_sum.h"

namespace hydra {

// Gradients that wait in the pool for the norm of all of them, each with the
// sum of its squares, which the host adds up while the device goes on.

// `gradient` is flat and whole.
void KeepGradient(const Pass& pass, int block, const at::Tensor& gradient);

// That of a streamed block, which was demoted to its version.
void KeepStreamedGradient(const Pass& pass, int block);

// That of a block whose rows its owner gathers; see UseGatheredGradientOnHost.
void KeepGatheredGradient(const Pass& pass, int block,
                          const at::Tensor& later_gradient,
                          std::shared_ptr<RowGradientSum> rows);

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_KEPT_GRADIENT_H_
