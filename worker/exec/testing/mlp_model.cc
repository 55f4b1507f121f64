#include "worker/exec/testing/mlp_model.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "ATen/ATen.h"
#include "absl/strings/str_cat.h"
#include "common/model/model_families.h"
#include "worker/model/autograd_layer.h"
#include "worker/model/layer_registry.h"

namespace hydra {
namespace {

constexpr int64_t kVocabulary = 97;
constexpr int64_t kFeatures = 16;
constexpr int64_t kInner = 192;
constexpr char kSharpness[] = "sharpness";

// The description.

ParameterBlock Linear(const std::string& name, int64_t from, int64_t to) {
  ParameterBlock block;
  AddTensor(absl::StrCat(name, ".weight"), {from, to},
            {TensorInit::Kind::kNormal, 0.2}, block);
  AddTensor(absl::StrCat(name, ".bias"), {to}, {TensorInit::Kind::kNormal, 0.1},
            block);
  return block;
}

LayerEntry Entry(const std::string& kind, std::vector<int> blocks,
                 std::vector<BoundaryTensor> outputs) {
  LayerEntry layer;
  layer.op = absl::StrCat("mlp.", kind);
  layer.kind = kind;
  layer.parameter_blocks = std::move(blocks);
  layer.outputs = std::move(outputs);
  return layer;
}

std::vector<BoundaryTensor> NumbersAndIds(int64_t width) {
  return {{ElementType::kFloat32, {kBatchSequences, kBatchContext, width}},
          {ElementType::kInt64, {kBatchSequences, kBatchContext}}};
}

LayerEntry LinearEntry(int block, int64_t width, double sharpness) {
  LayerEntry layer = Entry("linear", {block}, NumbersAndIds(width));
  layer.attributes = {{kSharpness, sharpness}};
  return layer;
}

absl::StatusOr<ModelTable> DescribeMlp(absl::string_view /*config_json*/,
                                       const ModelOverrides& /*overrides*/) {
  ModelTable table;
  table.vocabulary_size = kVocabulary;
  table.longest_context = 64;
  table.architecture_key = "mlp";
  table.parameter_blocks = {Linear("widen", kFeatures, kInner),
                            Linear("narrow", kInner, kFeatures),
                            Linear("guess", kInner, 1)};
  table.layers = {Entry("features", {}, NumbersAndIds(kFeatures)),
                  LinearEntry(0, kInner, /*sharpness=*/1),
                  LinearEntry(1, kFeatures, /*sharpness=*/0.5),
                  LinearEntry(0, kInner, /*sharpness=*/1),
                  Entry("error", {2}, {})};
  NoteUsers(table);
  return table;
}

// The ops.

at::Tensor Affine(const at::Tensor& input, const Tensors& parameters) {
  return at::matmul(input, parameters[0]) + parameters[1];
}

at::Tensor Share(const at::Tensor& ids) {
  return ids.to(at::kFloat) / kVocabulary;
}

class FeatureLayer : public AutogradLayer {
 public:
  using AutogradLayer::AutogradLayer;

 protected:
  Tensors Compute(const Tensors& /*parameters*/, const Tensors& /*inputs*/,
                  const MicroBatch& micro_batch) const override {
    const at::Tensor ids = micro_batch.Inputs().contiguous();
    const at::Tensor factors = at::arange(1, kFeatures + 1, ids.options());
    return {
        ((ids + 1).unsqueeze(-1) * factors).remainder(11).to(at::kFloat) / 11,
        ids};
  }
};

class LinearLayer : public AutogradLayer {
 public:
  explicit LinearLayer(const LayerContext& context)
      : AutogradLayer(context),
        sharpness_(context.entry.attributes.at(kSharpness)) {}

 protected:
  Tensors Compute(const Tensors& parameters, const Tensors& inputs,
                  const MicroBatch& /*micro_batch*/) const override {
    return {at::tanh(Affine(inputs[0], parameters) * sharpness_), inputs[1]};
  }

 private:
  const double sharpness_;
};

class ErrorLayer : public AutogradLayer {
 public:
  using AutogradLayer::AutogradLayer;

 protected:
  Tensors Compute(const Tensors& parameters, const Tensors& inputs,
                  const MicroBatch& micro_batch) const override {
    const at::Tensor guess =
        Affine(inputs[0], parameters).squeeze(-1) + Share(inputs[1]);
    return {(guess - Share(micro_batch.Targets())).square().sum()};
  }
};

}  // namespace

ModelTable MlpTable() { return *DescribeMlp(kMlpConfig, {}); }

const Architectures& MlpArchitectures() {
  static const auto& families = *new ModelFamilies({{"mlp", DescribeMlp}});
  static const auto& layers =
      *new LayerRegistry({{"mlp.features", MakeLayer<FeatureLayer>},
                          {"mlp.linear", MakeLayer<LinearLayer>},
                          {"mlp.error", MakeLayer<ErrorLayer>}});
  static const auto& all = *new Architectures{&families, &layers};
  return all;
}

}  // namespace hydra
