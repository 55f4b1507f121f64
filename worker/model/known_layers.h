#ifndef HYDRA_WORKER_MODEL_KNOWN_LAYERS_H_
#define HYDRA_WORKER_MODEL_KNOWN_LAYERS_H_

#include "worker/model/layer_registry.h"

namespace hydra {

// The layers of all families that Hydra trains (see common/model/describe.h).
const LayerRegistry& KnownLayers();

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_KNOWN_LAYERS_H_
