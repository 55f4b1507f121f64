#ifndef HYDRA_COMMON_CHAIN_STEP_NUMBERS_H_
#define HYDRA_COMMON_CHAIN_STEP_NUMBERS_H_

#include <cstdint>

namespace hydra {

// Numbers of the examples that one task may read: they are in a worker's memory
// at once, in 512 MiB of it.
inline constexpr int64_t kMaxStepNumbers = int64_t{1} << 27;

}  // namespace hydra

#endif  // HYDRA_COMMON_CHAIN_STEP_NUMBERS_H_
