#ifndef HYDRA_WORKER_MODEL_LAYER_CODE_H_
#define HYDRA_WORKER_MODEL_LAYER_CODE_H_

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ATen/core/Tensor.h"
#include "ATen/core/ivalue.h"
#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "torch/csrc/jit/api/module.h"

namespace hydra {

// The code of a layer that is its user's own: a TorchScript module, whose
// forward makes one tensor of one. It has no tensors of its own: what it
// computes with is given to each call.
//
// It is foreign code. It runs in this process, with all that this process may
// do.
//
// Every call runs the same operations in the same order, as they are written
// down, with LibTorch's own kernels: nothing is measured, specialized or fused.
// For all of the process, the first Load switches that off.
//
// Thread-safe; one call at a time.
class LayerCode {
 public:
  // Reads the bytes of a TorchScript file; `path` is for messages. Of
  // parameters, only the names are read.
  //
  // RESOURCE_EXHAUSTED: LibTorch reads a file into CPU tensors' memory, which
  // on
  //   a CPU device is the device's, and that has no room for it.
  // INVALID_ARGUMENT: they are no module that this LibTorch reads, it has no
  //   forward of one argument, it has tensors that are no parameters, or its
  //   code sets an attribute or writes into one (what it does with one in a
  //   list, an object or a function that it calls is not seen).
  static absl::StatusOr<std::shared_ptr<const LayerCode>> Load(
      const std::string& bytes, absl::string_view path);

  // Where one tensor goes: all of its names in the module.
  using Names = std::vector<std::string>;

  // INVALID_ARGUMENT: `parameters` are not all parameters that the module has,
  //   each named once; the message says which.
  absl::Status CheckParameters(const std::vector<Names>& parameters) const;

  // What the module makes of `input`, computed with these tensors, one for each
  // of `parameters`, which CheckParameters was content with. Differentiable
  // where gradients are on. Keeps no tensor. What the code throws passes
  // through.
  at::Tensor Run(const std::vector<Names>& parameters,
                 const std::vector<at::Tensor>& tensors,
                 const at::Tensor& input) const;

 private:
  // Where the module has a parameter: in which of its objects, and where there.
  struct Place {
    c10::intrusive_ptr<c10::ivalue::Object> object;
    size_t slot = 0;
  };

  LayerCode(torch::jit::Module module, std::map<std::string, Place> places,
            std::string path);

  // Puts the tensor there, under each of the names.
  void Put(const Names& names, const at::Tensor& tensor) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const std::string path_;
  // By name.
  const std::map<std::string, Place> places_;
  mutable absl::Mutex mu_;
  mutable torch::jit::Module module_ ABSL_GUARDED_BY(mu_);
};

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_LAYER_CODE_H_
