#include "worker/model/final_norm.h"

#include "c10/util/Exception.h"
#include "common/model/bert_table.h"
#include "common/model/gpt2_table.h"
#include "common/model/llama_table.h"
#include "common/model/product_type.h"
#include "worker/model/gelu.h"
#include "worker/model/layer_norm.h"
#include "worker/model/projection.h"
#include "worker/model/rms_norm.h"

namespace hydra {
namespace {

class FinalLayerNorm : public FinalNorm {
 public:
  explicit FinalLayerNorm(double epsilon) : epsilon_(epsilon) {}

  at::Tensor Forward(const at::Tensor& input, const Tensors& parameters,
                     Tensors* statistics) const override {
    NormStatistics made;
    at::Tensor output =
        LayerNormForward(input, parameters[0], parameters[1], epsilon_, &made);
    *statistics = {made.mean, made.inverse_deviation};
    return output;
  }

  at::Tensor Backward(const at::Tensor& output_gradient,
                      const at::Tensor& input, const Tensors& parameters,
                      const Tensors& statistics,
                      const ParameterGradients& store,
                      const Tensors& to) const override {
    return LayerNormBackward(output_gradient, input, parameters[0],
                             {statistics[0], statistics[1]}, store,
                             {to[0], to[1]});
  }

 private:
  const double epsilon_;
};

class FinalRmsNorm : public FinalNorm {
 public:
  explicit FinalRmsNorm(double epsilon) : epsilon_(epsilon) {}

  at::Tensor Forward(const at::Tensor& input, const Tensors& parameters,
                     Tensors* statistics) const override {
    statistics->resize(1);
    return RmsNormForward(input, parameters[0], epsilon_, &statistics->front());
  }

  at::Tensor Backward(const at::Tensor& output_gradient,
                      const at::Tensor& input, const Tensors& parameters,
                      const Tensors& statistics,
                      const ParameterGradients& store,
                      const Tensors& to) const override {
    RmsNormBackward(input, parameters[0], statistics[0], store, to[0],
                    output_gradient);
    return output_gradient;
  }

 private:
  const double epsilon_;
};

// BERT's transform: its parameters are those of bert_head.
class BertTransform : public FinalNorm {
 public:
  BertTransform(double epsilon, ElementType product_type)
      : epsilon_(epsilon), product_type_(product_type) {}

  at::Tensor Forward(const at::Tensor& input, const Tensors& parameters,
                     Tensors* statistics) const override {
    const at::Tensor mapped =
        Project(RowsOf(input), DenseOf(parameters, product_type_));
    NormStatistics made;
    at::Tensor output = LayerNormForward(
        Gelu(mapped, GeluFormula::kErf), parameters[bert_head::kNormWeight],
        parameters[bert_head::kNormBias], epsilon_, &made);
    *statistics = {made.mean, made.inverse_deviation, mapped};
    return output.view(input.sizes());
  }

  at::Tensor Backward(const at::Tensor& output_gradient,
                      const at::Tensor& input, const Tensors& parameters,
                      const Tensors& statistics,
                      const ParameterGradients& store,
                      const Tensors& to) const override {
    // From now on gelu's derivative.
    const at::Tensor& mapped = statistics[2];
    const at::Tensor activated = GeluForBackward(mapped, GeluFormula::kErf);
    mapped.mul_(LayerNormBackward(
        output_gradient, activated, parameters[bert_head::kNormWeight],
        {statistics[0], statistics[1]}, store,
        {to[bert_head::kNormWeight], to[bert_head::kNormBias]}));
    const Projection dense = DenseOf(parameters, product_type_);
    StoreProjection(input, mapped, dense, store, DenseOf(to, product_type_));
    InputGradient(mapped, dense, /*add=*/false, activated);
    return activated;
  }

 private:
  static at::Tensor RowsOf(const at::Tensor& tensor) {
    return tensor.reshape({-1, tensor.size(-1)});
  }

  static Projection DenseOf(const Tensors& tensors, ElementType product_type) {
    Projection dense;
    dense.weight = tensors[bert_head::kDenseWeight];
    dense.bias = tensors[bert_head::kDenseBias];
    dense.product_type = product_type;
    return dense;
  }

  const double epsilon_;
  const ElementType product_type_;
};

}  // namespace

std::unique_ptr<const FinalNorm> FinalNormOf(const LayerEntry& head) {
  if (head.op == kLlamaHeadOp) {
    return std::make_unique<FinalRmsNorm>(head.attributes.at(llama::kEpsilon));
  }
  if (head.op == kBertMaskedHeadOp) {
    return std::make_unique<BertTransform>(head.attributes.at(bert::kEpsilon),
                                           ProductTypeOf(head));
  }
  TORCH_CHECK(head.op == kGpt2HeadOp, "no norm for ", head.op);
  return std::make_unique<FinalLayerNorm>(head.attributes.at(gpt2::kEpsilon));
}

}  // namespace hydra
