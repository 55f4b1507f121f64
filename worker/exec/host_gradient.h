#ifndef HYDRA_WORKER_EXEC_HOST_GRADIENT_H_
#define HYDRA_WORKER_EXEC_HOST_GRADIENT_H_

#include <cstdint>
#include <functional>
#include <memory>

#include "ATen/core/Tensor.h"
#include "hydra/worker/v1/worker.pb.h"
#include "worker/exec/pass.h"
#include "worker/exec/row_gradient_sum.h"
#include "worker/exec/update_ranges.h"
#include "worker/model/layer.h"

namespace hydra {

// Gradients on their way to the host, whose thread does something with them
// while the device goes on.

// Is given a block's ranges (UpdateRangesOf) one after another, each with its
// gradient, on the host's thread.
using UseRange = std::function<void(const BlockRange&, const float* gradient)>;

// The version's elements, for what the host's thread is given from now on. Null
// if they are known to be zero.
const float* ForHostThread(const Pass& pass,
                           const worker::v1::BlockVersion& version);

// `gradient` is flat and whole.
void UseGradientOnHost(const Pass& pass, int block, const at::Tensor& gradient,
                       UseRange use);

// The rows' sums that the host adds up; see RowGradientSum.
std::shared_ptr<RowGradientSum> RowGradientSumOnHost(const Pass& pass,
                                                     int block,
                                                     int64_t rows_of_batch,
                                                     int64_t micro_batches);
void AddRowsOnHost(const Pass& pass, int block, const RowGradients& rows,
                   std::shared_ptr<RowGradientSum> sum);

// The gradient of a block whose rows its owner gathers. What later layers give
// to it is `later_gradient`, or read where it is in the pool, if that is
// undefined and the task names it.
void UseGatheredGradientOnHost(const Pass& pass, int block,
                               const at::Tensor& later_gradient,
                               std::shared_ptr<RowGradientSum> rows,
                               UseRange use);

// The same gradient, copied to a version that the host makes of it.
void CopyGatheredGradientOnHost(const Pass& pass, int block,
                                const at::Tensor& later_gradient,
                                std::shared_ptr<RowGradientSum> rows,
                                const worker::v1::BlockVersion& to);

// The rows' sums as they are, for the step's next round.
void KeepRowGradientSumOnHost(const Pass& pass, int block,
                              const worker::v1::BlockVersion& sum,
                              std::shared_ptr<RowGradientSum> rows);

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_HOST_GRADIENT_H_
