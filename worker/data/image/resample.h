#ifndef HYDRA_WORKER_DATA_IMAGE_RESAMPLE_H_
#define HYDRA_WORKER_DATA_IMAGE_RESAMPLE_H_

#include "common/image/image_processing.h"
#include "worker/data/image/rgb_image.h"

namespace hydra {

// The picture in another size, bit for bit as Pillow 12 makes it
// (Image.resize in src/PIL/Image.py, src/libImaging/Resample.c, Geometry.c;
// others resample some sizes in another order of rows and columns, and then a
// few numbers differ by one). Nearest: the pixel whose area has the middle of
// the new one. The others: each row, then each column of what that made, is a
// sum of the pixels around, whose weights are the filter's, widened where the
// picture becomes smaller; weights are whole numbers of 2^-22, and sums are
// rounded to 8 bits. Columns come first where HasColumnsFirst. Requires sizes
// above 0.
//
// Pure. Memory: the result, and what lies between rows and columns.
RgbImage Resized(const RgbImage& image, const ImageSize& size,
                 ImageFilter filter);

// Of a strip a hundred times as high as it is wide, which becomes lower. Else
// its rows would become wider first.
inline bool HasColumnsFirst(const ImageSize& from, const ImageSize& to) {
  return from.height > from.width * 100 && to.height < from.height;
}

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_IMAGE_RESAMPLE_H_
