#ifndef HYDRA_WORKER_MODEL_PARAMETER_INIT_H_
#define HYDRA_WORKER_MODEL_PARAMETER_INIT_H_

#include <cstdint>

#include "common/model/model_table.h"

namespace hydra {

// Fills out[0, tensor.element_count) as tensor.init says. Random numbers come
// from a stream of the tensor's own, seeded with (job_seed, tensor.name), so
// they depend neither on the order of calls, nor on threads or partition.
void InitTensor(const TensorEntry& tensor, uint64_t job_seed, float* out);

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_PARAMETER_INIT_H_
