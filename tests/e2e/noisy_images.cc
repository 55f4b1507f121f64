#include "tests/e2e/noisy_images.h"

#include <random>

namespace hydra {

using safetensors::Dtype;
using safetensors::TensorOf;

std::vector<safetensors::FileTensor> NoisyImages(int64_t count, int64_t side,
                                                 uint32_t seed) {
  const int64_t numbers = 3 * side * side;
  std::mt19937 random(seed);
  std::normal_distribution<float> noise;
  std::vector<float> pixels(count * numbers);
  std::vector<int64_t> labels(count);
  for (int64_t i = 0; i < count; ++i) {
    labels[i] = static_cast<int64_t>(random() % kImageClasses);
    for (int64_t j = 0; j < numbers; ++j) {
      pixels[i * numbers + j] =
          noise(random) + (j / side % side == labels[i] ? 2.0f : 0.0f);
    }
  }
  return {TensorOf("pixel_values", Dtype::kF32, {count, 3, side, side}, pixels),
          TensorOf("labels", Dtype::kI64, {count}, labels)};
}

}  // namespace hydra
