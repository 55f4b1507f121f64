#ifndef HYDRA_COMMON_MODEL_RESNET_TABLE_H_
#define HYDRA_COMMON_MODEL_RESNET_TABLE_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/model/convolution_shape.h"
#include "common/model/model_families.h"
#include "common/model/model_table.h"
#include "common/model/resnet_config.h"

// The one description of ResNet.
namespace hydra {

// What its layers compute, and the attributes of each.
inline constexpr char kResnetEmbedderOp[] = "resnet.embedder";  // kIn ... kOut
inline constexpr char kResnetBlockOp[] = "resnet.block";        // all
inline constexpr char kResnetHeadOp[] = "resnet.head";          // none

namespace resnet {

// Of what goes into the layer.
inline constexpr char kInChannels[] = "in_channels";
inline constexpr char kInHeight[] = "in_height";
inline constexpr char kInWidth[] = "in_width";
// Of what it makes; of the embedder's convolution.
inline constexpr char kOutChannels[] = "out_channels";
inline constexpr char kStride[] = "stride";
// 1: it has three convolutions; else two.
inline constexpr char kIsBottleneck[] = "is_bottleneck";
// 1: the first of them has the stride; else the first one with a kernel of 3.
inline constexpr char kStridesFirst[] = "strides_first";

// torch.nn.BatchNorm2d's own: no config.json says another.
inline constexpr double kEpsilon = 1e-5;
// The share of the newest batch in what a batch norm remembers.
inline constexpr double kMomentum = 0.1;

// Tensors of a convolution with its batch norm, in a block's order: the
// convolution's weight [out, in, kernel, kernel], then weight, bias, running
// mean, running variance and count of the norm.
inline constexpr int kTensorsOfConvolution = 6;

// The embedder: a convolution, behind whose activation the largest of 3 x 3
// pixels is taken from every second one on.
struct Embedder {
  ConvolutionShape convolution;
  ConvolutionShape pool;
};

// A residual layer: its convolutions one behind the other, and what the
// shortcut has where that is not its input itself. In the block's order the
// shortcut comes first.
struct Block {
  std::optional<ConvolutionShape> shortcut;
  std::vector<ConvolutionShape> branch;
};

// Of a layer with such attributes. Throw std::out_of_range where one is
// missing.
Embedder EmbedderOf(const std::map<std::string, double>& attributes);
Block BlockOf(const std::map<std::string, double>& attributes);

}  // namespace resnet

// The chain of a ResNetForImageClassification, which takes `pixel_values`
// [channels, height, width]: layer 0 is the embedder, then comes each residual
// layer, of all stages, and the last layer is the mean of each channel with the
// classifier. Layer i has block i. Every boundary is one fp32 tensor
// [sequences, channels, height, width], in which an image is a sequence.
ModelTable BuildResnetTable(const ResnetConfig& config);

// A Description, see model_families.h. INVALID_ARGUMENT: as ParseResnetConfig,
// or the job asks for what no ResNet has: dropout, or products in bfloat16,
// which are those of linear maps.
absl::StatusOr<ModelTable> DescribeResnet(absl::string_view config_json,
                                          const ModelOverrides& overrides);

}  // namespace hydra

#endif  // HYDRA_COMMON_MODEL_RESNET_TABLE_H_
