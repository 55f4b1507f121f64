#ifndef HYDRA_WORKER_EXEC_HOST_BATCH_H_
#define HYDRA_WORKER_EXEC_HOST_BATCH_H_

#include <cstdint>
#include <vector>

namespace hydra {

// A micro-batch, or an evaluation's batch, as it waits on the host.
struct HostBatch {
  int64_t sequences = 0;
  // Of this batch, see ContextOf in worker/data/window_reader.h.
  int64_t context = 0;
  // [sequences, context + 1], or empty.
  std::vector<int64_t> tokens;
  // [sequences, context], [sequences] of classes, or empty: as MicroBatch's.
  std::vector<int64_t> targets;
  // [sequences] and [sequences, context], or empty: as MicroBatch's.
  std::vector<int64_t> lengths;
  std::vector<int64_t> token_types;
  // Of a model that is fed examples, in place of tokens: [sequences, numbers of
  // an example]. Empty where the model's first layer is not computed.
  std::vector<float> examples;
  int64_t untrained_targets = 0;
  // As MicroBatch's.
  uint64_t seed = 0;
  double gradient_scale = 1;
  bool training = false;
  double label_smoothing = 0;

  // Targets that are trained on.
  int64_t target_count() const {
    return (targets.empty() ? sequences * context
                            : static_cast<int64_t>(targets.size())) -
           untrained_targets;
  }
};

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_HOST_BATCH_H_
