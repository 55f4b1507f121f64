#ifndef HYDRA_WORKER_EXEC_GRADIENT_CLIP_H_
#define HYDRA_WORKER_EXEC_GRADIENT_CLIP_H_

namespace hydra {

// What clipping, and the scale of the loss, do to a step's gradients: made by
// the host's thread, and constant from then on.
struct GradientClip {
  // Of all gradients together, without the loss's scale; not finite if one of
  // them is not: then nothing of the model is updated.
  double norm = 0;
  // What they are multiplied with.
  float factor = 1;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_EXEC_GRADIENT_CLIP_H_
