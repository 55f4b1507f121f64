#ifndef HYDRA_TESTS_REFERENCE_REFERENCE_TRAINER_H_
#define HYDRA_TESTS_REFERENCE_REFERENCE_TRAINER_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "ATen/core/Tensor.h"
#include "common/model/model_table.h"
#include "hydra/checkpoint/v1/checkpoint.pb.h"
#include "hydra/v1/job.pb.h"
#include "worker/model/layer.h"
#include "worker/model/micro_batch.h"
#include "worker/model/model_layers.h"
#include "worker/model/optimizer_step.h"

namespace hydra {

// A mini-batch, or a part of it.
struct ReferenceBatch {
  // Implicit: most models are fed tokens.
  ReferenceBatch(at::Tensor token_ids) : tokens(std::move(token_ids)) {}
  ReferenceBatch(at::Tensor numbers, at::Tensor labels)
      : examples(std::move(numbers)), classes(std::move(labels)) {}
  // Of sequences that are taken whole.
  explicit ReferenceBatch(MicroBatch sequences) : whole(std::move(sequences)) {}

  // int64 [sequences, context + 1] of token ids, with ~id in place of an id
  // that is not trained on.
  at::Tensor tokens;
  // Or fp32 [sequences, numbers of an example], and int64 [sequences].
  at::Tensor examples;
  at::Tensor classes;
  // Or all of a batch but what training adds: tokens, targets, lengths, types.
  MicroBatch whole;
};

// Plain training of one model: one process, no pool, no shards, nothing
// recomputed, all parameters, gradients and optimizer state in memory; frozen
// blocks have no gradient and no state. What training through Hydra must equal,
// bit for bit.
// Not thread-safe.
class ReferenceTrainer {
 public:
  // Of `train` only the optimizer, its hyperparameters, the label smoothing,
  // the number of steps and the seed count. All parameters are zero. `read`:
  // as ModelLayers::Build's.
  ReferenceTrainer(ModelTable table, const hydra::v1::TrainSpec& train,
                   const ReadLayerFile& read = nullptr);

  // As the tensors' TensorInits say.
  void InitializeRandomly();

  // One optimizer update on a mini-batch in micro-batches. Returns the loss
  // before the update, summed over micro-batches in order. If that is not
  // finite, or the norm of gradients that are clipped or those of a scaled
  // loss, nothing is updated; a block whose gradient is not finite is left as
  // it is.
  LossSum Step(const std::vector<ReferenceBatch>& micro_batches);

  // What the batch is computed as: in an evaluation without dropout and label
  // smoothing, and with a batch norm's running statistics; in training with the
  // batch's own ones, and without label smoothing.
  enum class Mode { kEvaluation, kTraining };
  LossSum Evaluate(const ReferenceBatch& batch,
                   Mode mode = Mode::kEvaluation) const;

  // The same batch's logits, [tokens, vocab], or of examples [sequences,
  // classes], all at once.
  at::Tensor Logits(const ReferenceBatch& batch,
                    Mode mode = Mode::kEvaluation) const;

  const ModelTable& table() const { return table_; }
  // Flat, in the order of the table's parameter blocks, fp32. Writable. Of
  // blocks with masters they are these: passes compute with what they round to.
  const std::vector<at::Tensor>& parameters() const { return parameters_; }
  // Those of the last step, of a scaled loss as they are; undefined for frozen
  // blocks.
  const std::vector<at::Tensor>& gradients() const { return gradients_; }
  // Of the next step; 1 without train.fp16.
  double loss_scale() const;

 private:
  MicroBatch Describe(const ReferenceBatch& batch, int64_t step_tokens,
                      int64_t index) const;
  LayerOutput Forward(const MicroBatch& batch, int last_layer) const;
  LossSum ForwardAndBackward(const MicroBatch& batch, bool accumulate);
  void Initialize(size_t block);
  void SumGradients();
  // Norm of all gradients, in the order of the table.
  double NormOfGradients() const;
  // Of the optimizer, from 1.
  int64_t UpdateNumber() const;
  // False: a norm that is not finite kept it from updating anything.
  bool Update();
  // Adafactor's.
  void UpdateFactored(float gradient_scale);

  bool IsFrozen(size_t block) const {
    return table_.parameter_blocks[block].frozen;
  }
  bool Gathers(int layer, int block) const;
  Tensors FlatsOf(int layer) const;
  // What passes compute with.
  at::Tensor Rounded(int block) const;

  const ModelTable table_;
  ModelLayers layers_;
  // With every default filled in.
  const hydra::v1::TrainSpec train_;

  std::vector<at::Tensor> parameters_;
  std::vector<at::Tensor> gradients_;
  // By layer and its blocks: a tied block's stay apart until all micro-batches
  // are done. Those of a block's last user are what `gradients_` has.
  std::vector<Tensors> layer_gradients_;
  std::vector<at::Tensor> first_moments_;
  std::vector<at::Tensor> second_moments_;
  // Flat, as factored_moments.h lays them out.
  std::vector<at::Tensor> factored_states_;
  int64_t steps_ = 0;
  checkpoint::v1::LossScale loss_scale_;
};

}  // namespace hydra

#endif  // HYDRA_TESTS_REFERENCE_REFERENCE_TRAINER_H_
