#include "worker/exec/host_block_update.h"

#include <cmath>
#include <cstdint>
#include <memory>
#include <utility>

#include "common/chain/block_key.h"
#include "common/failpoint/fail_point.h"
#include "common/model/factored_moments.h"
#include "worker/exec/factored_update.h"
#include "worker/exec/host_gradient.h"
#include "worker/exec/host_update.h"
#include "worker/exec/update_ranges.h"
#include "worker/model/adafactor.h"

namespace hydra {
namespace {

// What updates one block: made by the pass, and then the host's thread's alone.
class BlockOnHost {
 public:
  BlockOnHost(const Pass& pass, int block)
      : job_(pass.task.job_id()),
        update_(pass.ScalarsOf(block), OldOf(pass, block), NewOf(pass, block)) {
  }

  // Before the first range.
  void Clip(const GradientClip& clip) {
    if (std::isfinite(clip.norm)) {
      update_.ScaleGradients(clip.factor);
    } else {
      update_.Skip();
    }
  }

  void Update(const BlockRange& range, const float* gradient) {
    update_.Update(range, gradient);
    FailPoint("worker.update", job_);
  }

  const bool& skipped() const { return update_.skipped(); }

 private:
  static HostUpdate::Old OldOf(const Pass& pass, int block) {
    HostUpdate::Old old;
    const float* const parameters =
        ForHostThread(pass, pass.blocks.Read(ParametersKey(block)));
    if (pass.block(block).has_master()) {
      old.rounded = reinterpret_cast<const uint16_t*>(parameters);
    } else {
      old.parameters = parameters;
    }
    if (pass.model.shape.StateParts(block) == 0) return old;
    const float* const state =
        ForHostThread(pass, pass.blocks.Read(StateKey(block)));
    if (state == nullptr) return old;
    const int64_t elements = pass.block(block).element_count();
    const int moments = pass.model.moment_count();
    for (int i = 0; i < moments; ++i) old.moments[i] = state + i * elements;
    if (pass.block(block).has_master()) {
      old.parameters = state + moments * elements;
    }
    return old;
  }

  static HostUpdate::New NewOf(const Pass& pass, int block) {
    HostUpdate::New made;
    float* const parameters =
        pass.io.SlotOnHost(pass.blocks.Written(ParametersKey(block))).floats;
    made.parameters = parameters;
    if (pass.model.shape.StateParts(block) == 0) return made;
    float* const state =
        pass.io.SlotOnHost(pass.blocks.Written(StateKey(block))).floats;
    const int64_t elements = pass.block(block).element_count();
    const int moments = pass.model.moment_count();
    for (int i = 0; i < moments; ++i) made.moments[i] = state + i * elements;
    if (pass.block(block).has_master()) {
      made.parameters = state + moments * elements;
      made.rounded = reinterpret_cast<uint16_t*>(parameters);
    }
    return made;
  }

  const uint64_t job_;
  HostUpdate update_;
};

// What ranges of the block's gradient are used for.
UseRange UpdateWith(std::shared_ptr<BlockOnHost> on_host) {
  return [on_host = std::move(on_host)](const BlockRange& range,
                                        const float* gradient) {
    on_host->Update(range, gradient);
  };
}

// The same of an optimizer that factors its moments.
class FactoredOnHost {
 public:
  FactoredOnHost(const Pass& pass, int block)
      : job_(pass.task.job_id()),
        built_(pass.model.built),
        update_(
            built_->table.parameter_blocks[block],
            AdafactorScalarsAt(pass.model.HyperparametersAt(pass.task.step()),
                               pass.update_number()),
            pass.model.train.no_decay_biases_and_norms(),
            MemoryOf(pass, block)) {}

  void Update(const float* gradient, const GradientClip& clip) {
    update_.Update(gradient, clip);
    FailPoint("worker.update", job_);
  }

  const bool& skipped() const { return update_.skipped(); }

 private:
  static FactoredUpdate::Memory MemoryOf(const Pass& pass, int block) {
    const ParameterBlock& described = pass.block(block);
    const float* const parameters =
        ForHostThread(pass, pass.blocks.Read(ParametersKey(block)));
    float* const new_parameters =
        pass.io.SlotOnHost(pass.blocks.Written(ParametersKey(block))).floats;
    FactoredUpdate::Memory memory;
    memory.state = ForHostThread(pass, pass.blocks.Read(StateKey(block)));
    memory.new_state =
        pass.io.SlotOnHost(pass.blocks.Written(StateKey(block))).floats;
    if (!described.has_master()) {
      memory.parameters = parameters;
      memory.new_parameters = new_parameters;
      return memory;
    }
    // The master is behind the moments; INIT made it.
    const int64_t moments = FactoredStateBytes(described) / kFloatBytes;
    memory.parameters = memory.state + moments;
    memory.new_parameters = memory.new_state + moments;
    memory.rounded = reinterpret_cast<const uint16_t*>(parameters);
    memory.new_rounded = reinterpret_cast<uint16_t*>(new_parameters);
    return memory;
  }

  const uint64_t job_;
  // Has the block.
  const std::shared_ptr<const BuiltModel> built_;
  FactoredUpdate update_;
};

// Notes what all that was given to the host so far makes.
template <typename OnHost>
void EndUpdate(const Pass& pass, int block,
               const std::shared_ptr<OnHost>& on_host) {
  pass.io.MadeOnHost(pass.blocks.Written(ParametersKey(block)));
  if (pass.model.shape.StateBytes(block) > 0) {
    pass.io.MadeOnHost(pass.blocks.Written(StateKey(block)));
  }
  pass.results.Add(block, {on_host, &on_host->skipped()});
  // No task will read it again.
  pass.io.Forget(pass.blocks.Read(ParametersKey(block)));
}

// With a gradient that is in the pool, or on its way there.
void UpdateFromPool(const Pass& pass, int block, const GradientPlace& gradient,
                    std::shared_ptr<const GradientClip> clip) {
  const auto on_host = std::make_shared<BlockOnHost>(pass, block);
  pass.io.updates().Do(
      [on_host, from = ForHostThread(pass, *gradient.version) + gradient.first,
       clip = std::move(clip), ranges = UpdateRangesOf(pass.block(block))] {
        on_host->Clip(*clip);
        for (const BlockRange& range : ranges) {
          on_host->Update(range, from + range.first);
        }
      });
  EndUpdate(pass, block, on_host);
}

}  // namespace

void UpdateBlockOnHost(const Pass& pass, int block,
                       const at::Tensor& gradient) {
  const auto on_host = std::make_shared<BlockOnHost>(pass, block);
  UseGradientOnHost(pass, block, gradient, UpdateWith(on_host));
  EndUpdate(pass, block, on_host);
}

void UpdateStreamedBlockOnHost(const Pass& pass, int block,
                               const GradientPlace& gradient) {
  UpdateFromPool(pass, block, gradient, std::make_shared<GradientClip>());
}

void UpdateGatheredBlockOnHost(const Pass& pass, int block,
                               const at::Tensor& later_gradient,
                               std::shared_ptr<RowGradientSum> rows) {
  const auto on_host = std::make_shared<BlockOnHost>(pass, block);
  UseGatheredGradientOnHost(pass, block, later_gradient, std::move(rows),
                            UpdateWith(on_host));
  EndUpdate(pass, block, on_host);
}

void UpdateBlockFromPool(const Pass& pass, int block,
                         std::shared_ptr<const GradientClip> clip) {
  if (pass.model.shape.factors_moments) {
    const auto on_host = std::make_shared<FactoredOnHost>(pass, block);
    const float* const gradient =
        ForHostThread(pass, pass.blocks.Read(ParameterGradientKey(block)));
    pass.io.updates().Do([on_host, gradient, clip = std::move(clip)] {
      on_host->Update(gradient, *clip);
    });
    return EndUpdate(pass, block, on_host);
  }
  UpdateFromPool(pass, block, {&pass.blocks.Read(ParameterGradientKey(block))},
                 std::move(clip));
}

}  // namespace hydra
