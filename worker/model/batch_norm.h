#ifndef HYDRA_WORKER_MODEL_BATCH_NORM_H_
#define HYDRA_WORKER_MODEL_BATCH_NORM_H_

#include <cstdint>

#include "ATen/core/Tensor.h"
#include "worker/model/parameter_gradients.h"

namespace hydra {

// Batch norm of images [images, channels, pixels], forward and backward;
// nothing is recorded. LibTorch's sums, in double, channel by channel: the same
// bits for any number of threads.

// Of each channel, over all images and pixels: [channels].
struct ChannelStatistics {
  at::Tensor mean;
  // Divided by the number of values.
  at::Tensor variance;
};

// Throws c10::Error for images of one pixel of which there is one: a single
// value varies by nothing.
ChannelStatistics StatisticsOf(const at::Tensor& images);

at::Tensor BatchNormForward(const at::Tensor& images,
                            const ChannelStatistics& statistics,
                            const at::Tensor& weight, const at::Tensor& bias,
                            double epsilon);

// Where the gradients of its parameters go; undefined: nobody wants them.
struct BatchNormGradients {
  at::Tensor weight;
  at::Tensor bias;
};

// Returns the gradient of the images that the statistics are of.
at::Tensor BatchNormBackward(const at::Tensor& output_gradient,
                             const at::Tensor& images,
                             const ChannelStatistics& statistics,
                             const at::Tensor& weight, double epsilon,
                             const ParameterGradients& store,
                             const BatchNormGradients& to);

// The same of any images, with statistics that do not follow from them.
at::Tensor ConstantNormBackward(const at::Tensor& output_gradient,
                                const at::Tensor& images,
                                const ChannelStatistics& statistics,
                                const at::Tensor& weight, double epsilon,
                                const ParameterGradients& store,
                                const BatchNormGradients& to);

// What a batch norm remembers of the batches that it saw; undefined as a place
// to write to: that stays as it is.
struct RunningStatistics {
  at::Tensor mean;
  // Divided by the number of values less one.
  at::Tensor variance;
  // One number.
  at::Tensor batches;
};

// Writes to `to` what `before` becomes with one batch more, of so many values
// of each channel: momentum of the new, the rest of the old, as
// torch.nn.BatchNorm2d has it. `to` may be `before`.
void StoreRunning(const ChannelStatistics& statistics, int64_t values,
                  double momentum, const RunningStatistics& before,
                  const RunningStatistics& to);

}  // namespace hydra

#endif  // HYDRA_WORKER_MODEL_BATCH_NORM_H_
