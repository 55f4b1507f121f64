#ifndef HYDRA_COMMON_VERSION_VERSION_H_
#define HYDRA_COMMON_VERSION_VERSION_H_

namespace hydra {

// Of every program of this tree.
inline constexpr char kVersion[] = "0.1.0";

}  // namespace hydra

#endif  // HYDRA_COMMON_VERSION_VERSION_H_
