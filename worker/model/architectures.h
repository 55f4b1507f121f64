#ifndef HYDRA_WORKER_MODEL_ARCHITECTURES_H_
#define HYDRA_WORKER_MODEL_ARCHITECTURES_H_

#include "common/model/describe.h"
#include "common/model/model_families.h"
#include "worker/model/known_layers.h"
#include "worker/model/layer_registry.h"

namespace hydra {

// The models that can be trained: how they are described, and what computes
// their layers. All that Hydra has, unless somebody brings others.
struct Architectures {
  // Must outlive whoever is given this.
  const ModelFamilies* families = &KnownFamilies();
  const LayerRegistry* layers = &KnownLayers();
  // Exported chains among them, whose layers are code of their users: it runs
  // in this process, with all that this process may do.
  bool runs_exported_chains = false;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_ARCHITECTURES_H_
