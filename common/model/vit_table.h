#ifndef HYDRA_COMMON_MODEL_VIT_TABLE_H_
#define HYDRA_COMMON_MODEL_VIT_TABLE_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/model/model_families.h"
#include "common/model/model_table.h"
#include "common/model/vit_config.h"

// The one description of ViT.
namespace hydra {

// What its layers compute, and the attributes of each.
inline constexpr char kVitEmbeddingOp[] = "vit.embedding";  // sizes, kDropout
inline constexpr char kVitBlockOp[] = "vit.block";          // the others
inline constexpr char kVitHeadOp[] = "vit.head";            // kEpsilon

namespace vit {

// Of an image, in pixels, and of a patch.
inline constexpr char kChannels[] = "channels";
inline constexpr char kImageHeight[] = "image_height";
inline constexpr char kImageWidth[] = "image_width";
inline constexpr char kPatchHeight[] = "patch_height";
inline constexpr char kPatchWidth[] = "patch_width";
// Rows of an image: its class token and its patches.
inline constexpr char kRows[] = "rows";
inline constexpr char kHeads[] = "heads";
// 1: query, key and value have biases, each behind its weight.
inline constexpr char kHasBiases[] = "has_biases";
// Of the layer norms.
inline constexpr char kEpsilon[] = "epsilon";
// Probabilities with which the embedding, and each residual sum, is dropped.
inline constexpr char kDropout[] = "dropout";
inline constexpr char kAttentionDropout[] = "attention_dropout";

}  // namespace vit

// The chain of a ViTForImageClassification, which takes `pixel_values`
// [channels, height, width]: layer 0 embeds (block 0: class token, positions,
// the patches' linear map), layers 1..n are encoder blocks (block of the
// layer's number), the last layer is the final norm of the class token with the
// classifier. Weights are [out, in], as torch.nn.Linear has them. Every
// boundary is one fp32 tensor [sequences, 1 + patches, hidden_size], in which
// an image is a sequence and its class token stands first.
ModelTable BuildVitTable(const VitConfig& config);

// A Description, see model_families.h. INVALID_ARGUMENT: as ParseVitConfig.
absl::StatusOr<ModelTable> DescribeVit(absl::string_view config_json,
                                       const ModelOverrides& overrides);

}  // namespace hydra

#endif  // HYDRA_COMMON_MODEL_VIT_TABLE_H_
