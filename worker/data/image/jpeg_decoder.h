#ifndef HYDRA_WORKER_DATA_IMAGE_JPEG_DECODER_H_
#define HYDRA_WORKER_DATA_IMAGE_JPEG_DECODER_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "worker/data/image/rgb_image.h"

namespace hydra {

// See DecodeImage, of a file that begins as a JPEG file does.
absl::StatusOr<DecodedImage> DecodeJpeg(absl::string_view file);

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_IMAGE_JPEG_DECODER_H_
