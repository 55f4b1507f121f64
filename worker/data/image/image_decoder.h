#ifndef HYDRA_WORKER_DATA_IMAGE_IMAGE_DECODER_H_
#define HYDRA_WORKER_DATA_IMAGE_IMAGE_DECODER_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "worker/data/image/rgb_image.h"

// Files of pictures to pixels. Pure; thread-safe.
//
// Which format a file has, its first bytes say, whatever it is called. What it
// says of itself is believed only as far as its length allows: no memory is
// taken for pixels that so few bytes cannot hold.
namespace hydra {

// The pixels of a whole JPEG or PNG file, as Pillow's convert("RGB") has them:
// grey thrice, palettes' colors, 16 bits for a color cut to 8, CMYK by Pillow's
// formula, transparency left out, no regard to color profiles, gamma and the
// orientation that a camera notes.
//
// INVALID_ARGUMENT: neither of them; cut short or damaged; more than
//   kMaxImagePixels; a JPEG coded arithmetically or with 12 bits; grey with 16
//   bits, of which Pillow makes white all above 255. The message is the reason,
//   and names no file.
absl::StatusOr<DecodedImage> DecodeImage(absl::string_view file);

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_IMAGE_IMAGE_DECODER_H_
