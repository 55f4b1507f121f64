#include "worker/exec/gradient_use.h"

#include <utility>

#include "common/chain/block_key.h"
#include "worker/exec/block_update.h"
#include "worker/exec/host_block_update.h"
#include "worker/exec/host_gradient.h"
#include "worker/exec/kept_gradient.h"
#include "worker/exec/update_ranges.h"

namespace hydra {
namespace {

using worker::v1::BlockVersion;

class UpdateOnDevice : public GradientUse {
 public:
  UpdateOnDevice(const Pass& pass, MomentStream& moments)
      : pass_(pass), moments_(moments) {}

  std::shared_ptr<RowGradientSum> NewRowSum(int block, int64_t rows_of_batch,
                                            int64_t micro_batches) override {
    RowGradientSum::Earlier earlier;
    if (const BlockVersion* const sum = pass_.blocks.FindRead(
            GradientSumKey(block, pass_.block(block).owner()))) {
      earlier = [this, sum](int64_t first_row, const at::Tensor& to) {
        pass_.io.PromoteRange(*sum, first_row * to.size(1), to.view({-1}));
      };
    }
    return std::make_shared<RowGradientSum>(
        pass_.block(block), rows_of_batch, micro_batches,
        [this](at::IntArrayRef sizes) { return pass_.io.Empty(sizes); },
        std::move(earlier));
  }

  void AddRows(int /*block*/, const RowGradients& rows,
               const std::shared_ptr<RowGradientSum>& sum) override {
    sum->Add(rows);
  }

  void KeepRows(int block, const BlockVersion& sum,
                std::shared_ptr<RowGradientSum> rows) override {
    for (const BlockRange& range : UpdateRangesOf(pass_.block(block))) {
      pass_.meter.Advance();
      const at::Tensor part = pass_.io.Empty({range.count});
      rows->CopyRange(range, part);
      pass_.io.Demote(part, sum, range.first);
    }
  }

  void Use(int block, at::Tensor parameters,
           const at::Tensor& gradient) override {
    const bool updated =
        UpdateBlock(pass_, block, std::move(parameters), gradient, moments_);
    pass_.results.Add(block, /*skipped=*/!updated);
  }

  void UseStreamed(int block, const GradientPlace& gradient) override {
    const bool updated = UpdateStreamedBlock(pass_, block, gradient, moments_);
    pass_.results.Add(block, /*skipped=*/!updated);
  }

  void UseGathered(int block, at::Tensor parameters,
                   const at::Tensor& later_gradient,
                   std::shared_ptr<RowGradientSum> rows) override {
    const bool updated = UpdateGatheredBlock(
        pass_, block, std::move(parameters), later_gradient, *rows, moments_);
    pass_.results.Add(block, /*skipped=*/!updated);
  }

 private:
  const Pass& pass_;
  MomentStream& moments_;
};

// For what the host does: rows are summed there.
class UseOnHost : public GradientUse {
 public:
  explicit UseOnHost(const Pass& pass) : pass_(pass) {}

  std::shared_ptr<RowGradientSum> NewRowSum(int block, int64_t rows_of_batch,
                                            int64_t micro_batches) override {
    return RowGradientSumOnHost(pass_, block, rows_of_batch, micro_batches);
  }

  void AddRows(int block, const RowGradients& rows,
               const std::shared_ptr<RowGradientSum>& sum) override {
    AddRowsOnHost(pass_, block, rows, sum);
  }

  void KeepRows(int block, const BlockVersion& sum,
                std::shared_ptr<RowGradientSum> rows) override {
    KeepRowGradientSumOnHost(pass_, block, sum, std::move(rows));
  }

 protected:
  const Pass& pass_;
};

class UpdateOnHost : public UseOnHost {
 public:
  using UseOnHost::UseOnHost;

  void Use(int block, at::Tensor /*parameters*/,
           const at::Tensor& gradient) override {
    UpdateBlockOnHost(pass_, block, gradient);
  }

  void UseStreamed(int block, const GradientPlace& gradient) override {
    UpdateStreamedBlockOnHost(pass_, block, gradient);
  }

  void UseGathered(int block, at::Tensor /*parameters*/,
                   const at::Tensor& later_gradient,
                   std::shared_ptr<RowGradientSum> rows) override {
    UpdateGatheredBlockOnHost(pass_, block, later_gradient, std::move(rows));
  }
};

class KeepInPool : public UseOnHost {
 public:
  using UseOnHost::UseOnHost;

  void Use(int block, at::Tensor /*parameters*/,
           const at::Tensor& gradient) override {
    KeepGradient(pass_, block, gradient);
  }

  void UseStreamed(int block, const GradientPlace& /*gradient*/) override {
    KeepStreamedGradient(pass_, block);
  }

  void UseGathered(int block, at::Tensor /*parameters*/,
                   const at::Tensor& later_gradient,
                   std::shared_ptr<RowGradientSum> rows) override {
    KeepGatheredGradient(pass_, block, later_gradient, std::move(rows));
  }
};

}  // namespace

std::unique_ptr<GradientUse> NewGradientUse(const Pass& pass,
                                            MomentStream& moments) {
  if (pass.model.shape.gradients_wait()) {
    return std::make_unique<KeepInPool>(pass);
  }
  if (pass.updates_on_host()) return std::make_unique<UpdateOnHost>(pass);
  return std::make_unique<UpdateOnDevice>(pass, moments);
}

}  // namespace hydra
