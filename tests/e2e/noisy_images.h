#ifndef HYDRA_TESTS_E2E_NOISY_IMAGES_H_
#define HYDRA_TESTS_E2E_NOISY_IMAGES_H_

#include <cstdint>
#include <vector>

#include "common/safetensors/testing/tensor_files.h"

namespace hydra {

// Of the fixtures' models.
inline constexpr int64_t kImageClasses = 10;

// `pixel_values` [count, 3, side, side] and `labels` of ten classes: noise with
// a bright row for the class, so that there is something to learn. `side` is
// ten at least.
std::vector<safetensors::FileTensor> NoisyImages(int64_t count, int64_t side,
                                                 uint32_t seed);

}  // namespace hydra

#endif  // HYDRA_TESTS_E2E_NOISY_IMAGES_H_
