#ifndef HYDRA_WORKER_MODEL_TESTING_LAYER_CONTRACT_H_
#define HYDRA_WORKER_MODEL_TESTING_LAYER_CONTRACT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "common/model/model_table.h"
#include "gtest/gtest.h"
#include "worker/device/device.h"
#include "worker/model/layer.h"
#include "worker/model/layer_blocks.h"
#include "worker/model/layer_registry.h"

namespace hydra {

// One layer of a model, and what it should compute.
struct LayerCase {
  // Letters and digits.
  std::string name;
  ModelTable table;
  int layer = 0;
  const LayerRegistry* registry = nullptr;
  // As LayerContext's.
  std::shared_ptr<const LayerCode> code;

  // The same in plain, differentiable operations of LibTorch. `parameters` are
  // the tensors of the layer's blocks, one block after another and each whole,
  // `inputs` the boundary before it. Returns the boundary behind it; of a last
  // layer, the sum of the losses. Of tensors that are no parameters
  // (TensorUse), those that require a gradient get as such what Backward is to
  // make of them.
  std::function<Tensors(const Tensors& parameters, const Tensors& inputs,
                        const MicroBatch& micro_batch)>
      plain;
  // Largest difference of a gradient from that of `plain`, relative to its
  // largest magnitude. 0: the same bits.
  double tolerance = 0;

  int64_t sequences = 3;
  int64_t context = 20;
  // As MicroBatch's.
  double label_smoothing = 0;
};

// The same with elements of this type, of two bytes, in all that is frozen.
LayerCase InTwoBytes(LayerCase layer_case, ElementType type);

// The same with the matrices of all that is frozen in int8, and the rest in
// fp32.
LayerCase InInt8(LayerCase layer_case);

// The same with the tensors frozen that the patterns match, see
// frozen_layers.h; `what` they are, for its name.
LayerCase FrozenInPart(LayerCase layer_case, const std::string& what,
                       const std::vector<std::string>& patterns);

// The same with bfloat16 elements, and masters, in all that is trained.
LayerCase WithMasters(LayerCase layer_case);

// The same with the products of linear maps in a type of two bytes. `plain`
// goes on to compute in fp32.
LayerCase WithRoundedProducts(LayerCase layer_case,
                              ElementType type = ElementType::kBFloat16);

std::ostream& operator<<(std::ostream& out, const LayerCase& layer_case);

// What every Layer keeps to, whatever it computes, on the device of
// NewTestDevice; what is plain is computed on the CPU. A family's tests run it
// with
//
//   INSTANTIATE_TEST_SUITE_P(Mine, LayerContractTest,
//                            testing::ValuesIn(MyCases()), LayerCaseName);
class LayerContractTest : public testing::TestWithParam<LayerCase> {
 protected:
  LayerContractTest();

  struct Gradients {
    Tensors flats;
    LayerGradients made;
  };

  const ParameterBlock& Block(size_t i) const;
  bool Gathers(size_t i) const;
  // A gradient of it is made, but for a block whose rows are gathered.
  bool IsTrained(size_t i) const { return !Block(i).frozen; }
  // Garbage for each block that is trained; undefined where rows are gathered.
  Tensors FreshFlats() const;
  // Of all blocks, one after another, in host memory and in fp32.
  Tensors HostParameters() const;
  // Record and Backward.
  Gradients Differentiate(Tensors flats, bool accumulate) const;
  Gradients Differentiate(const LayerInput& input, Tensors flats,
                          bool accumulate) const;
  // Of the layer's i-th block, in copies of a flat: zeros in place of tensors
  // that are no parameters, or these alone.
  at::Tensor WithoutStatistics(size_t i, const at::Tensor& flat) const;
  at::Tensor StatisticsAlone(size_t i, const at::Tensor& flat) const;
  // Those of `plain`, with the rows' gradient in its flat; undefined for frozen
  // blocks.
  Gradients Plain() const;
  // The rows' gradient as a flat of the block, in place of its undefined one.
  Tensors WithRows(const Gradients& gradients) const;

  void ExpectClose(const Tensors& actual, const Tensors& expected,
                   double tolerance) const;

  const std::unique_ptr<Device> device_;
  const ModelTable& table_;
  const LayerEntry& entry_;
  const LayerBlocks blocks_;
  std::unique_ptr<Layer> layer_;
  const LayerInput host_input_;
  // The same on the device, but for blocks whose rows are gathered.
  LayerInput input_;
  Tensors output_gradients_;
};

std::string LayerCaseName(const testing::TestParamInfo<LayerCase>& info);

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_TESTING_LAYER_CONTRACT_H_
