#ifndef HYDRA_COMMON_MODEL_WEIGHT_MATCH_H_
#define HYDRA_COMMON_MODEL_WEIGHT_MATCH_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/model/model_table.h"
#include "common/safetensors/weight_directory.h"

namespace hydra {

// Which tensors of a checkpoint a model takes; adapters take none. Names are
// found as transformers finds them: with or without the module's
// ("transformer."), under a tied tensor's name in place of their own, and with
// ends that they had once, see WeightNames and TensorEntry::alias. One prefix
// that all of them have, as torch.compile and others leave it, is taken for
// what it is.
struct WeightMatch {
  // The checkpoint's name of each tensor of the table, by the table's, but for
  // those that are drawn.
  absl::flat_hash_map<std::string, std::string> names;
  // Those of TensorEntry::may_be_drawn that the checkpoint does not have, in
  // the table's order.
  std::vector<std::string> drawn;
  // Not empty: the checkpoint cannot be used. Long lists are shortened.
  std::vector<std::string> mistakes;
  // What of the checkpoint is not used, or is not named as it should be.
  std::vector<std::string> warnings;
  // The checkpoint's name of the alias of each tensor that it has under both
  // names, by the table's.
  absl::flat_hash_map<std::string, std::string> aliases;
};

// Pure, but for what `weights` has read already.
WeightMatch MatchWeights(const ModelTable& table,
                         const safetensors::WeightDirectory& weights);

// Reads elements of a tensor of the table, from `first` on, as fp32: what the
// checkpoint has as F32, F16 or BF16 exactly, and a count, which it has as I64,
// as the nearest number that there is.
//
// Requires that the match has the tensor, and no mistakes. Errors: as
// WeightDirectory::ReadAsFloat32.
absl::Status ReadElements(const WeightMatch& match,
                          const safetensors::WeightDirectory& weights,
                          const TensorEntry& tensor, int64_t first,
                          absl::Span<float> to);

// Reads the tensors that the checkpoint has under two names: a tied head and
// its embedding.
//
// INVALID_ARGUMENT: they differ; transformers does not tie them then, whatever
//   config.json says.
// Others: as WeightDirectory::ReadAsFloat32.
absl::Status CheckAliases(const WeightMatch& match,
                          const safetensors::WeightDirectory& weights);

}  // namespace hydra

#endif  // HYDRA_COMMON_MODEL_WEIGHT_MATCH_H_
