#include "worker/model/batch_norm.h"

#include <tuple>

#include "ATen/core/Tensor.h"
#include "ATen/ops/batch_norm_update_stats.h"
#include "ATen/ops/native_batch_norm.h"
#include "ATen/ops/native_batch_norm_backward.h"
#include "c10/core/GradMode.h"
#include "c10/util/Exception.h"

namespace hydra {
namespace {

// With all values of a channel in one row. LibTorch shares out the sums over
// images of one pixel by the number of threads, and none within a row.
at::Tensor InRows(const at::Tensor& images) {
  if (images.size(2) > 1) return images;
  return images.squeeze(2).t().contiguous().unsqueeze(0);
}

// The way back, of what was made of such rows.
at::Tensor LikeImages(const at::Tensor& rows, const at::Tensor& images) {
  if (images.size(2) > 1) return rows;
  return rows.squeeze(0).t().contiguous().unsqueeze(2);
}

}  // namespace

ChannelStatistics StatisticsOf(const at::Tensor& images) {
  const at::NoGradGuard no_grad;
  TORCH_CHECK(images.size(0) * images.size(2) > 1,
              "a batch norm has one value of each channel, of one image of one "
              "pixel, and needs more to train with: raise "
              "train.per_device_train_batch_size, or take larger images");
  auto [mean, variance] = at::batch_norm_update_stats(
      InRows(images), /*running_mean=*/{}, /*running_var=*/{}, /*momentum=*/0);
  return {mean, variance};
}

at::Tensor BatchNormForward(const at::Tensor& images,
                            const ChannelStatistics& statistics,
                            const at::Tensor& weight, const at::Tensor& bias,
                            double epsilon) {
  const at::NoGradGuard no_grad;
  return std::get<0>(at::native_batch_norm(
      images, weight, bias, statistics.mean, statistics.variance,
      /*training=*/false, /*momentum=*/0, epsilon));
}

at::Tensor BatchNormBackward(const at::Tensor& output_gradient,
                             const at::Tensor& images,
                             const ChannelStatistics& statistics,
                             const at::Tensor& weight, double epsilon,
                             const ParameterGradients& store,
                             const BatchNormGradients& to) {
  const at::NoGradGuard no_grad;
  const at::Tensor inverse_deviation =
      statistics.variance.add(epsilon).rsqrt_();
  const auto [gradient, of_weight, of_bias] = at::native_batch_norm_backward(
      InRows(output_gradient), InRows(images), weight, /*running_mean=*/{},
      /*running_var=*/{}, statistics.mean, inverse_deviation, /*train=*/true,
      epsilon, {true, to.weight.defined(), to.bias.defined()});
  store.Store(of_weight, to.weight);
  store.Store(of_bias, to.bias);
  return LikeImages(gradient, images);
}

at::Tensor ConstantNormBackward(const at::Tensor& output_gradient,
                                const at::Tensor& images,
                                const ChannelStatistics& statistics,
                                const at::Tensor& weight, double epsilon,
                                const ParameterGradients& store,
                                const BatchNormGradients& to) {
  const at::NoGradGuard no_grad;
  if (to.weight.defined() || to.bias.defined()) {
    const auto [none, of_weight, of_bias] = at::native_batch_norm_backward(
        InRows(output_gradient), InRows(images), weight, statistics.mean,
        statistics.variance, /*save_mean=*/{}, /*save_invstd=*/{},
        /*train=*/false, epsilon,
        {false, to.weight.defined(), to.bias.defined()});
    store.Store(of_weight, to.weight);
    store.Store(of_bias, to.bias);
  }
  const at::Tensor factors =
      statistics.variance.add(epsilon).rsqrt_().mul_(weight);
  return output_gradient.mul(factors.view({1, -1, 1}));
}

void StoreRunning(const ChannelStatistics& statistics, int64_t values,
                  double momentum, const RunningStatistics& before,
                  const RunningStatistics& to) {
  const at::NoGradGuard no_grad;
  const double unbiased =
      static_cast<double>(values) / static_cast<double>(values - 1);
  const auto store = [momentum](const at::Tensor& newest,
                                const at::Tensor& from,
                                const at::Tensor& into) {
    if (!into.defined()) return;
    // In two operations that round by themselves.
    const at::Tensor share = newest.mul(momentum);
    into.copy_(from.mul(1 - momentum).add_(share));
  };
  store(statistics.mean, before.mean, to.mean);
  store(statistics.variance.mul(unbiased), before.variance, to.variance);
  if (to.batches.defined()) to.batches.copy_(before.batches.add(1));
}

}  // namespace hydra
