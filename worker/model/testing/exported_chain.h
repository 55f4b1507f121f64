#ifndef HYDRA_WORKER_MODEL_TESTING_EXPORTED_CHAIN_H_
#define HYDRA_WORKER_MODEL_TESTING_EXPORTED_CHAIN_H_

#include <memory>
#include <string>

#include "ATen/core/Tensor.h"
#include "common/model/model_table.h"
#include "worker/model/layer.h"
#include "worker/model/layer_code.h"

// An exported chain for tests, as client/python writes one, but of modules that
// are made here. A convolution; two layers that share a matrix, of which the
// first hands on what lies column by column; a linear map to classes.
namespace hydra {

inline constexpr int kExportedLayers = 4;
// Of the examples, named "images".
inline constexpr int64_t kExportedNumbers = int64_t{3} * 8 * 8;
inline constexpr int64_t kExportedClasses = 5;

// Its chain.json.
std::string ExportedChainJson();
ModelTable ExportedChainTable();

// The bytes of the layer's file, which is called ExportedFileName.
std::string ExportedFile(int layer);
std::string ExportedFileName(int layer);
std::shared_ptr<const LayerCode> ExportedCode(int layer);

// What the layer makes of `input`, in operations of LibTorch: the boundary
// behind it, or logits. `parameters` as the table's blocks have them.
at::Tensor PlainExported(int layer, const Tensors& parameters,
                         const at::Tensor& input);

// Writes all of its files, with random weights, into the directory.
void WriteExportedChain(const std::string& directory);

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_TESTING_EXPORTED_CHAIN_H_
