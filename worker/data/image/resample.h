#ifndef HYDRA_WORKER_DATA_IMAGE_RESAMPLE_H_
#define HYDRA_WORKER_DATA_IMAGE_RESAMPLE_H_

#include "common/image/image_processing.h"
#include "worker/data/image/rgb_image.h"

namespace hydra {

// The picture in another size, bit for bit as Pillow up to 12 makes it
// (src/libImaging/Resample.c, Geometry.c; later ones may resample columns
// before rows, and then a few numbers differ by one). Nearest: the pixel whose
// area has the middle of the new one. The others: each row, then each column of
// what that made, is a sum of the pixels around, whose weights are the
// filter's, widened where the picture becomes smaller; weights are whole
// numbers of 2^-22, and sums are rounded to 8 bits. Requires sizes above 0.
//
// Pure. Memory: the result, and what lies between rows and columns.
RgbImage Resized(const RgbImage& image, const ImageSize& size,
                 ImageFilter filter);

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_IMAGE_RESAMPLE_H_
