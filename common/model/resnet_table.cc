#include "common/model/resnet_table.h"

#include <cmath>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/model/table_parts.h"

namespace hydra {
namespace {

using Attributes = std::map<std::string, double>;

constexpr char kModule[] = "resnet.";

// kaiming_normal_ over what goes out, for relu.
TensorInit InitOf(const ConvolutionShape& shape) {
  const auto fan_out =
      static_cast<double>(shape.out_channels * shape.kernel * shape.kernel);
  return Normal(std::sqrt(2 / fan_out));
}

// Of torch.nn.Linear's own initialisation.
TensorInit UniformInit(int64_t in) {
  TensorInit init;
  init.kind = TensorInit::Kind::kUniform;
  init.bound = 1 / std::sqrt(static_cast<double>(in));
  return init;
}

void AddConvolution(const std::string& module, const ConvolutionShape& shape,
                    ParameterBlock& block) {
  AddTensor(absl::StrCat(module, ".convolution.weight"),
            {shape.out_channels, shape.in_channels, shape.kernel, shape.kernel},
            InitOf(shape), block);
  const std::string norm = absl::StrCat(module, ".normalization.");
  const std::vector<int64_t> channels = {shape.out_channels};
  AddTensor(norm + "weight", channels, kOne, block);
  AddTensor(norm + "bias", channels, kZero, block);
  AddStatistic(norm + "running_mean", channels, TensorUse::kStatistic, kZero,
               block);
  AddStatistic(norm + "running_var", channels, TensorUse::kStatistic, kOne,
               block);
  AddStatistic(norm + "num_batches_tracked", {}, TensorUse::kCount, kZero,
               block);
}

ParameterBlock EmbedderBlock(const resnet::Embedder& shape) {
  ParameterBlock block;
  AddConvolution(absl::StrCat(kModule, "embedder.embedder"), shape.convolution,
                 block);
  return block;
}

ParameterBlock LayerBlock(const resnet::Block& shape,
                          const std::string& module) {
  ParameterBlock block;
  if (shape.shortcut.has_value()) {
    AddConvolution(absl::StrCat(module, "shortcut"), *shape.shortcut, block);
  }
  for (size_t i = 0; i < shape.branch.size(); ++i) {
    AddConvolution(absl::StrCat(module, "layer.", i), shape.branch[i], block);
  }
  return block;
}

ParameterBlock Classifier(const ResnetConfig& config) {
  const int64_t width = config.hidden_sizes.back();
  ParameterBlock block;
  AddTensor("classifier.1.weight", {config.num_labels, width},
            UniformInit(width), block);
  AddTensor("classifier.1.bias", {config.num_labels}, UniformInit(width),
            block);
  return block;
}

// Its form is on disks: see ModelTable::architecture_key.
std::string KeyOf(const ResnetConfig& config) {
  return absl::StrCat(
      "resnet image=", config.num_channels, "x", config.image_height, "x",
      config.image_width, " embedding=", config.embedding_size,
      " widths=", absl::StrJoin(config.hidden_sizes, ","),
      " depths=", absl::StrJoin(config.depths, ","),
      " layers=", config.is_bottleneck ? "bottleneck" : "basic",
      " downsample=", config.downsample_in_first_stage ? 1 : 0, ",",
      config.downsample_in_bottleneck ? 1 : 0, " classes=", config.num_labels);
}

WeightNames OwnWeightNames() {
  WeightNames names;
  names.module_prefix = kModule;
  names.landmark = "embedder.embedder.convolution.weight";
  return names;
}

ConfigNames OwnConfigNames() {
  ConfigNames names;
  names.family = "ResNet";
  names.model_class = "ResNetForImageClassification";
  names.classifies = true;
  names.keys = {"depths",
                "downsample_in_bottleneck",
                "downsample_in_first_stage",
                "embedding_size",
                "hidden_act",
                "hidden_sizes",
                "image_size",
                "layer_type",
                "num_channels",
                "out_features",
                "out_indices",
                "stage_names"};
  return names;
}

// A tensor with so many numbers for each image.
BoundaryTensor PerImage(int64_t numbers) {
  return {ElementType::kFloat32, {kBatchSequences, numbers}};
}

BoundaryTensor ImagesOf(int64_t channels, int64_t height, int64_t width) {
  return {ElementType::kFloat32, {kBatchSequences, channels, height, width}};
}

// What the convolution's products take beside what goes in and comes out: the
// windows of one image, beside each other. The gradient of that image, which is
// made of its windows', takes as much again: LibTorch leaves it in memory of
// their size.
BoundaryTensor WindowsOf(const ConvolutionShape& shape) {
  return {
      ElementType::kFloat32,
      {shape.is_pointwise() ? 0 : shape.window_numbers() * shape.out_pixels()}};
}

// The image, of which LibTorch makes a copy first.
BoundaryTensor CopiedOf(const ConvolutionShape& shape) {
  return {ElementType::kFloat32,
          {shape.is_pointwise() ? 0 : shape.in_numbers()}};
}

BoundaryTensor Out(const ConvolutionShape& shape) {
  return PerImage(shape.out_numbers());
}

BoundaryTensor In(const ConvolutionShape& shape) {
  return PerImage(shape.in_numbers());
}

// As resnet_embedder.cc computes. Places of the largest numbers are int64.
LayerMemory EmbedderMemory(const resnet::Embedder& shape) {
  const BoundaryTensor images = In(shape.convolution);
  const BoundaryTensor made = Out(shape.convolution);
  const BoundaryTensor pooled = Out(shape.pool);
  const BoundaryTensor places = {ElementType::kInt64, pooled.shape};
  const BoundaryTensor windows = WindowsOf(shape.convolution);
  const BoundaryTensor copied = CopiedOf(shape.convolution);
  LayerMemory memory;
  memory.kept = {images, made};
  memory.forward = {{images, made, windows, copied},
                    {images, made, made, places}};
  // What was activated, and its gradient; that with relu's; the norm's, which
  // takes as much again as it makes; the weight's.
  memory.backward = {{images, made, made, pooled, places, made},
                     {images, made, made, made, made},
                     {images, made, made, made, made},
                     {images, made, windows, copied}};
  return memory;
}

// As resnet_block.cc computes.
LayerMemory BlockMemory(const resnet::Block& shape) {
  using Tensors = std::vector<BoundaryTensor>;
  const std::vector<ConvolutionShape>& branch = shape.branch;
  const BoundaryTensor input = In(branch.front());
  const BoundaryTensor output = Out(branch.back());
  LayerMemory memory;
  for (const ConvolutionShape& convolution : branch) {
    memory.kept.push_back(Out(convolution));
  }
  if (shape.shortcut.has_value()) memory.kept.push_back(Out(*shape.shortcut));

  // What goes into a convolution is there until its norm is done, and the
  // layer's own input, and its output, count already.
  for (size_t i = 0; i < branch.size(); ++i) {
    Tensors there = {Out(branch[i])};
    if (i > 0) there.push_back(In(branch[i]));
    memory.forward.push_back(there);
    memory.forward.back().push_back(WindowsOf(branch[i]));
    memory.forward.back().push_back(CopiedOf(branch[i]));
    if (i + 1 == branch.size()) continue;
    memory.forward.push_back(there);
    memory.forward.back().push_back(Out(branch[i]));
  }
  if (shape.shortcut.has_value()) {
    memory.forward.push_back({Out(*shape.shortcut), WindowsOf(*shape.shortcut),
                              CopiedOf(*shape.shortcut)});
    memory.forward.push_back({Out(*shape.shortcut), Out(*shape.shortcut)});
  }

  // What was kept, of the branch its first ones, and the gradient of the sum. A
  // norm's backward takes as much again as it makes.
  Tensors there = memory.kept;
  there.push_back(output);
  const auto add = [&](const Tensors& more) {
    memory.backward.push_back(there);
    memory.backward.back().insert(memory.backward.back().end(), more.begin(),
                                  more.end());
  };
  add({output});
  if (shape.shortcut.has_value()) {
    const BoundaryTensor made = Out(*shape.shortcut);
    add({made, made});
    there.erase(there.begin() + static_cast<int>(branch.size()));
    add({made, WindowsOf(*shape.shortcut), WindowsOf(*shape.shortcut), input});
    there.push_back(input);
  }
  for (size_t i = branch.size(); i-- > 0;) {
    const bool is_last = i + 1 == branch.size();
    const BoundaryTensor made = Out(branch[i]);
    const BoundaryTensor from = In(branch[i]);
    // Its gradient is that of the sum.
    add(is_last ? Tensors{made, made} : Tensors{made, made, made});
    there.erase(there.begin() + static_cast<int>(i));
    if (i == 0) {
      add({made, WindowsOf(branch[i]), WindowsOf(branch[i]), from});
    } else {
      add({made, WindowsOf(branch[i]), WindowsOf(branch[i]), from, from});
      add({from, from, from});
    }
  }
  return memory;
}

// A weight is used for each pixel that comes out, of which one is counted as
// that of a token.
int64_t FlopsOf(const ConvolutionShape& shape) {
  return 2 * shape.weight_numbers() * (shape.out_pixels() - 1);
}

// A batch norm needs two values of each channel.
int64_t LeastSequencesOf(const ConvolutionShape& shape) {
  return shape.out_pixels() > 1 ? 1 : 2;
}

LayerEntry EmbedderLayer(const ResnetConfig& config) {
  LayerEntry layer;
  layer.op = kResnetEmbedderOp;
  layer.kind = "embedding";
  layer.attributes = {{resnet::kInChannels, config.num_channels},
                      {resnet::kInHeight, config.image_height},
                      {resnet::kInWidth, config.image_width},
                      {resnet::kOutChannels, config.embedding_size}};
  const resnet::Embedder shape = resnet::EmbedderOf(layer.attributes);
  layer.memory = EmbedderMemory(shape);
  layer.flops_per_token_pair = FlopsOf(shape.convolution);
  layer.least_sequences = LeastSequencesOf(shape.convolution);
  layer.outputs = {ImagesOf(config.embedding_size, shape.pool.out_height(),
                            shape.pool.out_width())};
  return layer;
}

LayerEntry BlockLayer(Attributes attributes) {
  LayerEntry layer;
  layer.op = kResnetBlockOp;
  layer.kind = "block";
  layer.attributes = std::move(attributes);
  const resnet::Block shape = resnet::BlockOf(layer.attributes);
  layer.memory = BlockMemory(shape);
  if (shape.shortcut.has_value()) {
    layer.flops_per_token_pair += FlopsOf(*shape.shortcut);
  }
  for (const ConvolutionShape& convolution : shape.branch) {
    layer.flops_per_token_pair += FlopsOf(convolution);
  }
  // No other one has fewer pixels.
  const ConvolutionShape& last = shape.branch.back();
  layer.least_sequences = LeastSequencesOf(last);
  layer.outputs = {
      ImagesOf(last.out_channels, last.out_height(), last.out_width())};
  return layer;
}

LayerEntry HeadLayer(const ResnetConfig& config, const BoundaryTensor& input) {
  LayerEntry layer;
  layer.op = kResnetHeadOp;
  layer.kind = "head";
  const BoundaryTensor means = PerImage(config.hidden_sizes.back());
  const BoundaryTensor logits = PerImage(config.num_labels);
  layer.memory.forward = {{means, logits}};
  layer.memory.backward = {{input, means, means, logits}};
  return layer;
}

int64_t IntegerOf(const Attributes& attributes, const char* name) {
  return static_cast<int64_t>(attributes.at(name));
}

// What goes into the layer.
ConvolutionShape FirstOf(const Attributes& attributes) {
  ConvolutionShape shape;
  shape.in_channels = IntegerOf(attributes, resnet::kInChannels);
  shape.height = IntegerOf(attributes, resnet::kInHeight);
  shape.width = IntegerOf(attributes, resnet::kInWidth);
  return shape;
}

}  // namespace

namespace resnet {

Embedder EmbedderOf(const Attributes& attributes) {
  Embedder embedder;
  ConvolutionShape& convolution = embedder.convolution;
  convolution = FirstOf(attributes);
  convolution.out_channels = IntegerOf(attributes, kOutChannels);
  convolution.kernel = 7;
  convolution.stride = 2;
  ConvolutionShape& pool = embedder.pool;
  pool.in_channels = convolution.out_channels;
  pool.out_channels = convolution.out_channels;
  pool.height = convolution.out_height();
  pool.width = convolution.out_width();
  pool.kernel = 3;
  pool.stride = 2;
  return embedder;
}

Block BlockOf(const Attributes& attributes) {
  const ConvolutionShape first = FirstOf(attributes);
  const int64_t channels = IntegerOf(attributes, kOutChannels);
  const int64_t stride = IntegerOf(attributes, kStride);
  const bool is_bottleneck = IntegerOf(attributes, kIsBottleneck) != 0;
  const bool strides_first =
      !is_bottleneck || IntegerOf(attributes, kStridesFirst) != 0;
  const int64_t inner = is_bottleneck ? channels / 4 : channels;

  Block block;
  const auto add = [&](int64_t out_channels, int64_t kernel, int64_t by) {
    ConvolutionShape shape = first;
    if (!block.branch.empty()) {
      const ConvolutionShape& before = block.branch.back();
      shape.in_channels = before.out_channels;
      shape.height = before.out_height();
      shape.width = before.out_width();
    }
    shape.out_channels = out_channels;
    shape.kernel = kernel;
    shape.stride = by;
    block.branch.push_back(shape);
  };
  if (is_bottleneck) {
    add(inner, 1, strides_first ? stride : 1);
    add(inner, 3, strides_first ? 1 : stride);
    add(channels, 1, 1);
  } else {
    add(channels, 3, stride);
    add(channels, 3, 1);
  }
  if (first.in_channels != channels || stride != 1) {
    block.shortcut = first;
    block.shortcut->out_channels = channels;
    block.shortcut->stride = stride;
  }
  return block;
}

}  // namespace resnet

ModelTable BuildResnetTable(const ResnetConfig& config) {
  ModelTable table;
  ExampleInput& examples = table.examples.emplace();
  examples.name = "pixel_values";
  examples.shape = {config.num_channels, config.image_height,
                    config.image_width};
  examples.class_count = config.num_labels;
  table.longest_context = 1;
  table.architecture_key = KeyOf(config);
  table.weight_names = OwnWeightNames();
  table.config_names = OwnConfigNames();

  // Layer i has block i.
  const auto add = [&table](LayerEntry layer, ParameterBlock block) {
    AddLayer(std::move(layer), {AddBlock(std::move(block), table)}, table);
  };
  LayerEntry embedder = EmbedderLayer(config);
  const resnet::Embedder shape = resnet::EmbedderOf(embedder.attributes);
  add(std::move(embedder), EmbedderBlock(shape));
  for (size_t stage = 0; stage < config.depths.size(); ++stage) {
    for (int64_t i = 0; i < config.depths[stage]; ++i) {
      const std::vector<int64_t>& input = table.layers.back().outputs[0].shape;
      const bool downsamples =
          i == 0 && (stage > 0 || config.downsample_in_first_stage);
      LayerEntry layer = BlockLayer(
          {{resnet::kInChannels, input[1]},
           {resnet::kInHeight, input[2]},
           {resnet::kInWidth, input[3]},
           {resnet::kOutChannels, config.hidden_sizes[stage]},
           {resnet::kStride, downsamples ? 2 : 1},
           {resnet::kIsBottleneck, config.is_bottleneck},
           {resnet::kStridesFirst, config.downsample_in_bottleneck}});
      ParameterBlock block = LayerBlock(
          resnet::BlockOf(layer.attributes),
          absl::StrCat(kModule, "encoder.stages.", stage, ".layers.", i, "."));
      add(std::move(layer), std::move(block));
    }
  }
  LayerEntry head = HeadLayer(config, table.layers.back().outputs[0]);
  add(std::move(head), Classifier(config));
  NoteUsers(table);
  return table;
}

absl::StatusOr<ModelTable> DescribeResnet(absl::string_view config_json,
                                          const ModelOverrides& overrides) {
  const absl::StatusOr<ResnetConfig> config = ParseResnetConfig(config_json);
  if (!config.ok()) return config.status();
  if (overrides.dropout.value_or(0) > 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("a ResNet has no dropout; found train.dropout ",
                     *overrides.dropout, ", remove it"));
  }
  if (overrides.product_type != ElementType::kFloat32) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a ResNet has no products that train.",
        overrides.product_type == ElementType::kFloat16 ? "fp16" : "bf16",
        " rounds, which are those of linear maps; remove it"));
  }
  return BuildResnetTable(*config);
}

}  // namespace hydra
