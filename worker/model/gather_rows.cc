#include "worker/model/gather_rows.h"

#include "ATen/core/Tensor.h"
#include "worker/model/element_type.h"

namespace hydra {

at::Tensor GatherRows(const at::Tensor& table, const MicroBatch& micro_batch) {
  const at::Tensor ids = micro_batch.Inputs().reshape({-1});
  const at::Tensor rows =
      table.index_select(0, ids.to(table.device())).to(ids.device());
  return Widened(rows).view(
      {micro_batch.sequences(), micro_batch.context(), -1});
}

}  // namespace hydra
