#ifndef HYDRA_COMMON_CHAIN_JOB_SHAPE_H_
#define HYDRA_COMMON_CHAIN_JOB_SHAPE_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "common/chain/layer_range.h"
#include "common/model/factored_moments.h"
#include "common/model/model_table.h"
#include "common/shared/shared.h"
#include "hydra/v1/job.pb.h"

namespace hydra {

// Micro-batches [first, last) of a step, which go through the whole model
// before those after them do.
struct Round {
  int first = 0;
  int last = 0;
  // Of its step. Gradients of the rounds before wait in the pool, and those of
  // all but the last one will.
  bool is_first = true;
  bool is_last = true;

  int size() const { return last - first; }
};

// The sizes that a job's chain of tasks, its memory and its time follow from.
// A value type.
struct JobShape {
  Shared<ModelTable> table;
  // Sequences in a micro-batch, micro-batches in a step, tokens in a sequence.
  int64_t micro_batch_size = 1;
  int micro_batches = 1;
  // A step's micro-batches go in so many rounds, of about equal size; at most
  // one for each. As many as the job asks for; the daemon makes them more where
  // the pool has no room for the boundaries of so many micro-batches at once.
  int rounds = 1;
  int64_t context_length = 1;
  int64_t eval_batch_size = 1;
  // Moments that the optimizer keeps of each parameter
  // (common/model/optimizer.h).
  int64_t state_factor = 0;
  // Moments are those of factored_moments.h, and state_factor 0.
  bool factors_moments = false;
  // Gradients wait for the norm of all of them.
  bool clips_gradients = false;
  // They are those of a scaled loss (common/model/loss_scale.h), and wait until
  // it is known whether all of them are finite, which their norm says, too.
  bool scales_loss = false;
  // In chain order; empty until the cut points are known.
  std::vector<LayerRange> shards;

  Round RoundAt(int number) const {
    const auto begin = [this](int64_t round) {
      return static_cast<int>(round * micro_batches / rounds);
    };
    return {begin(number), begin(number + 1), number == 0,
            number + 1 == rounds};
  }
  int LargestRound() const { return (micro_batches + rounds - 1) / rounds; }

  // Gradients wait in the pool until all are there that an update needs:
  // updates are tasks of their own.
  bool gradients_wait() const { return needs_norm() || factors_moments; }
  // An update depends on the norm of all gradients.
  bool needs_norm() const { return clips_gradients || scales_loss; }

  int shard_count() const { return static_cast<int>(shards.size()); }

  int64_t ParameterBytes(int block) const {
    return table->parameter_blocks[block].size_bytes;
  }
  // Of the whole block, or of what earlier rounds or later layers give to it.
  int64_t GradientBytes(int block) const {
    return table->parameter_blocks[block].gradient_bytes();
  }
  // What its state consists of, one behind the other, each as large as its
  // gradient: the moments, then the master. Where moments are factored, these
  // lie before the master and are not among the parts.
  int StateParts(int block) const {
    const ParameterBlock& described = table->parameter_blocks[block];
    if (described.frozen) return 0;
    return static_cast<int>(state_factor) + (described.has_master() ? 1 : 0);
  }
  // 0: the block has no state.
  int64_t StateBytes(int block) const {
    const ParameterBlock& described = table->parameter_blocks[block];
    if (described.frozen) return 0;
    const int64_t moment_bytes = factors_moments
                                     ? FactoredStateBytes(described)
                                     : state_factor * GradientBytes(block);
    return moment_bytes + (described.has_master() ? GradientBytes(block) : 0);
  }
  bool KeepsState() const {
    return state_factor > 0 || factors_moments || table->HasMasters();
  }
  // The first shard with parameters that are trained, in which gradients end:
  // those before it have no BACKWARD and no UPDATE.
  int FirstTrainedShard() const {
    const int layer = table->FirstTrainedLayer();
    int shard = 0;
    while (shard + 1 < shard_count() && shards[shard].last <= layer) ++shard;
    return shard;
  }
  // Largest of a micro-batch and of an evaluation batch, wherever the model is
  // cut.
  int64_t LargestBoundaryBytes() const {
    return table->LargestBoundaryBytes(
        std::max(micro_batch_size, eval_batch_size), context_length);
  }
  // Of one micro-batch, and of one evaluation batch, before `layer`.
  int64_t TrainBoundaryBytes(int layer) const {
    return table->BoundaryBytes(layer, micro_batch_size, context_length);
  }
  int64_t EvalBoundaryBytes(int layer) const {
    return table->BoundaryBytes(layer, eval_batch_size, context_length);
  }
};

// `spec` with every default filled in.
JobShape MakeJobShape(const hydra::v1::JobSpec& spec, Shared<ModelTable> table);

// What the job asks for: one, unless it says how large a round may be.
int FewestRounds(const hydra::v1::TrainSpec& train);

// The shards that ascending cut points in (0, layer_count) make.
std::vector<LayerRange> ShardsOf(const std::vector<int>& cut_points,
                                 int layer_count);

}  // namespace hydra

#endif  // HYDRA_COMMON_CHAIN_JOB_SHAPE_H_
