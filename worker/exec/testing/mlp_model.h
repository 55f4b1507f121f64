#ifndef HYDRA_WORKER_EXEC_TESTING_MLP_MODEL_H_
#define HYDRA_WORKER_EXEC_TESTING_MLP_MODEL_H_

#include "common/model/model_table.h"
#include "worker/model/architectures.h"

// A family that is no language model, to see what a new one takes: this
// description and these ops, and nothing else in Hydra.
//
// The chain makes numbers of each token id, passes them through linear layers,
// and learns to guess the next token's id by squared error. Its boundaries have
// two tensors, one of them of integers, and are of different sizes; layers 1
// and 3 share their parameters.
namespace hydra {

inline constexpr char kMlpConfig[] = R"({"model_type": "mlp"})";
inline constexpr int kMlpLayers = 5;

ModelTable MlpTable();
const Architectures& MlpArchitectures();

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_TESTING_MLP_MODEL_H_
