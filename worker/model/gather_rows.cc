#include "worker/model/gather_rows.h"

#include "ATen/core/Tensor.h"

namespace hydra {

at::Tensor GatherRows(const at::Tensor& table, const MicroBatch& micro_batch) {
  const at::Tensor ids = micro_batch.Inputs().reshape({-1});
  return table.index_select(0, ids.to(table.device()))
      .to(ids.device())
      .view({micro_batch.sequences(), micro_batch.context(), table.size(1)});
}

}  // namespace hydra
