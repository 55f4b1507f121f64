#ifndef HYDRA_COMMON_MODEL_CHAIN_TABLE_H_
#define HYDRA_COMMON_MODEL_CHAIN_TABLE_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/model/chain_config.h"
#include "common/model/model_families.h"
#include "common/model/model_table.h"

// The one description of an exported chain: a classifier of the user's own,
// whose layers are TorchScript files.
namespace hydra {

// What its layers compute: all but the last one the code of their file alone;
// the last one its code, and cross entropy of what that makes.
inline constexpr char kChainLayerOp[] = "chain.layer";
inline constexpr char kChainHeadOp[] = "chain.head";  // kClasses

namespace chain {

inline constexpr char kClasses[] = "classes";

}  // namespace chain

// The chain takes the examples that its input names, and every boundary is one
// fp32 tensor [sequences, the layer's output], in which an example is a
// sequence. Parameters that the same layers have are one block, in the order
// that the first of these layers has them in: so most layers have one block,
// and a layer that shares some of its tensors has one more. How a parameter
// begins is nowhere written: it begins as the exported weights have it.
ModelTable BuildChainTable(const ChainConfig& chain);

// A Description, see model_families.h, of the text of a chain.json. There is
// nothing in it that an override would change. INVALID_ARGUMENT: as
// ParseChainConfig.
absl::StatusOr<ModelTable> DescribeChain(absl::string_view chain_json,
                                         const ModelOverrides& overrides);

}  // namespace hydra

#endif  // HYDRA_COMMON_MODEL_CHAIN_TABLE_H_
