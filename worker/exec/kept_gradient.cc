#include "worker/exec/kept_gradient.h"

#include <utility>

#include "common/chain/block_key.h"
#include "worker/exec/host_gradient.h"
#include "worker/model/gradient_norm.h"

namespace hydra {
namespace {

using worker::v1::BlockVersion;

// Adds up the squares of the gradient in the slot, as it is after all that the
// host's thread was given before.
void AddUpSquares(const Pass& pass, int block) {
  const float* const gradient =
      ForHostThread(pass, pass.blocks.Written(ParameterGradientKey(block)));
  const BlockVersion& squares = pass.blocks.Written(GradientSquaresKey(block));
  auto* const to =
      reinterpret_cast<double*>(pass.io.SlotOnHost(squares).floats);
  pass.io.updates().Do([built = pass.model.built, block, gradient, to] {
    *to = GradientSquares(built->table.parameter_blocks[block], gradient);
  });
  pass.io.MadeOnHost(squares);
}

}  // namespace

void KeepGradient(const Pass& pass, int block, const at::Tensor& gradient) {
  pass.io.Demote(gradient, pass.blocks.Written(ParameterGradientKey(block)),
                 /*first=*/0);
  AddUpSquares(pass, block);
}

void KeepStreamedGradient(const Pass& pass, int block) {
  AddUpSquares(pass, block);
}

void KeepGatheredGradient(const Pass& pass, int block,
                          const at::Tensor& later_gradient,
                          std::shared_ptr<RowGradientSum> rows) {
  CopyGatheredGradientOnHost(pass, block, later_gradient, std::move(rows),
                             pass.blocks.Written(ParameterGradientKey(block)));
  AddUpSquares(pass, block);
}

}  // namespace hydra
