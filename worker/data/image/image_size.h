#ifndef HYDRA_WORKER_DATA_IMAGE_IMAGE_SIZE_H_
#define HYDRA_WORKER_DATA_IMAGE_IMAGE_SIZE_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "worker/data/image/rgb_image.h"

namespace hydra {

// From here on Pillow warns of a bomb: a small file that takes much memory.
inline constexpr int64_t kMaxImagePixels = 89'478'485;

// Whether memory may be taken for a picture that is said to have this size, and
// whose pixels take `least_bytes` at least of a file of `file_bytes`. Pure.
//
// INVALID_ARGUMENT: more pixels than kMaxImagePixels, or than so short a file
//   can hold. The message names no file.
inline absl::Status CheckImageSize(const ImageSize& size, int64_t least_bytes,
                                   int64_t file_bytes) {
  // Sides are of 32 bits.
  if (size.height > 0 && size.width > kMaxImagePixels / size.height) {
    return absl::InvalidArgumentError(
        absl::StrCat("has ", size.width, " x ", size.height,
                     " pixels; at most ", kMaxImagePixels, " are read"));
  }
  if (least_bytes > file_bytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("is cut short or damaged: it has ", file_bytes,
                     " bytes, and ", size.width, " x ", size.height,
                     " pixels take ", least_bytes, " at least"));
  }
  return absl::OkStatus();
}

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_IMAGE_IMAGE_SIZE_H_
