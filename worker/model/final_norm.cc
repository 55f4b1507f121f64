#include "worker/model/final_norm.h"

#include "c10/util/Exception.h"
#include "common/model/gpt2_table.h"
#include "common/model/llama_table.h"
#include "worker/model/layer_norm.h"
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

}  // namespace

std::unique_ptr<const FinalNorm> FinalNormOf(const LayerEntry& head) {
  if (head.op == kLlamaHeadOp) {
    return std::make_unique<FinalRmsNorm>(head.attributes.at(llama::kEpsilon));
  }
  TORCH_CHECK(head.op == kGpt2HeadOp, "no norm for ", head.op);
  return std::make_unique<FinalLayerNorm>(head.attributes.at(gpt2::kEpsilon));
}

}  // namespace hydra
