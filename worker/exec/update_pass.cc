#include "worker/exec/update_pass.h"

#include <cmath>
#include <memory>
#include <vector>

#include "common/chain/block_key.h"
#include "common/model/loss_scale.h"
#include "worker/exec/gradient_clip.h"
#include "worker/exec/host_block_update.h"
#include "worker/exec/host_gradient.h"
#include "worker/model/gradient_norm.h"

namespace hydra {
namespace {

// Known to the host's thread after all that it was given so far.
std::shared_ptr<const GradientClip> FindClip(const Pass& pass) {
  std::vector<const double*> squares;
  const auto blocks =
      static_cast<int>(pass.model.table.parameter_blocks.size());
  for (int block = 0; block < blocks; ++block) {
    if (pass.block(block).frozen) continue;
    squares.push_back(reinterpret_cast<const double*>(
        ForHostThread(pass, pass.blocks.Read(GradientSquaresKey(block)))));
  }
  const auto clip = std::make_shared<GradientClip>();
  pass.io.updates().Do([squares = std::move(squares), clip,
                        max_norm = pass.model.train.max_grad_norm(),
                        loss_scale = ScaleOrOne(pass.task.loss_scale())] {
    std::vector<double> sums;
    sums.reserve(squares.size());
    for (const double* of_block : squares) sums.push_back(*of_block);
    clip->norm = GradientNorm(sums) / loss_scale;
    if (!std::isfinite(clip->norm)) return;
    // Of a power of two nothing is lost.
    clip->factor = static_cast<float>(1 / loss_scale);
    if (max_norm > 0) clip->factor *= ClipFactor(max_norm, clip->norm);
  });
  pass.io.CountUpdates();
  return clip;
}

}  // namespace

worker::v1::PassResult RunUpdatePass(const Pass& pass) {
  const bool needs_norm = pass.model.shape.needs_norm();
  const std::shared_ptr<const GradientClip> clip =
      needs_norm ? FindClip(pass) : std::make_shared<const GradientClip>();
  if (needs_norm) pass.results.SetClip(clip);
  for (int layer = pass.first_layer(); layer < pass.last_layer(); ++layer) {
    for (int block : pass.layer(layer).parameter_blocks) {
      if (pass.block(block).frozen || pass.block(block).owner() != layer) {
        continue;
      }
      pass.meter.Advance();
      UpdateBlockFromPool(pass, block, clip);
    }
  }
  return {};
}

}  // namespace hydra
