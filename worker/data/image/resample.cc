#include "worker/data/image/resample.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "glog/logging.h"

namespace hydra {
namespace {

// Of a weight. A sum of weights, which is about 1, times 255 fits 32 bits, also
// where some are below 0.
constexpr int kPrecisionBits = 32 - 8 - 2;
constexpr int32_t kHalf = 1 << (kPrecisionBits - 1);

// The filters as Pillow writes them: the order of operations decides the last
// bit.
double Triangle(double x) {
  x = std::abs(x);
  return x < 1.0 ? 1.0 - x : 0.0;
}

double Cubic(double x) {
  constexpr double kA = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((kA + 2.0) * x - (kA + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * kA;
  return 0.0;
}

struct Filter {
  double (*weight)(double);
  // It is 0 from there on.
  double support;
};

Filter FilterOf(ImageFilter filter) {
  return filter == ImageFilter::kBicubic ? Filter{Cubic, 2.0}
                                         : Filter{Triangle, 1.0};
}

// The pixels that one new pixel is a sum of.
struct Weights {
  int64_t first = 0;
  std::vector<int32_t> values;
};

int32_t Rounded(double weight) {
  constexpr double kOne = 1 << kPrecisionBits;
  return static_cast<int32_t>(weight * kOne + (weight < 0 ? -0.5 : 0.5));
}

Weights WeightsOf(int64_t pixel, int64_t from, int64_t to,
                  const Filter& filter) {
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  const double filter_scale = std::max(scale, 1.0);
  const double support = filter.support * filter_scale;
  const double center = (static_cast<double>(pixel) + 0.5) * scale;
  const double step = 1.0 / filter_scale;
  Weights weights;
  weights.first =
      std::max<int64_t>(0, static_cast<int64_t>(center - support + 0.5));
  const int64_t end =
      std::min<int64_t>(from, static_cast<int64_t>(center + support + 0.5));
  std::vector<double> exact;
  double sum = 0;
  for (int64_t i = 0; i < end - weights.first; ++i) {
    const double offset = static_cast<double>(i + weights.first) - center;
    exact.push_back(filter.weight((offset + 0.5) * step));
    sum += exact.back();
  }
  for (double weight : exact) {
    weights.values.push_back(Rounded(sum != 0 ? weight / sum : weight));
  }
  return weights;
}

std::vector<Weights> AllWeights(int64_t from, int64_t to,
                                const Filter& filter) {
  std::vector<Weights> all;
  for (int64_t pixel = 0; pixel < to; ++pixel) {
    all.push_back(WeightsOf(pixel, from, to, filter));
  }
  return all;
}

uint8_t Clipped(int32_t sum) {
  return static_cast<uint8_t>(std::clamp(sum >> kPrecisionBits, 0, 255));
}

RgbImage OfSize(const ImageSize& size) {
  RgbImage image;
  image.size = size;
  image.pixels.resize(size.height * image.row_bytes());
  return image;
}

RgbImage WithWidth(const RgbImage& image, int64_t width, const Filter& filter) {
  if (width == image.size.width) return image;
  RgbImage made = OfSize({image.size.height, width});
  const std::vector<Weights> all = AllWeights(image.size.width, width, filter);
  for (int64_t row = 0; row < image.size.height; ++row) {
    const uint8_t* const from = image.pixels.data() + row * image.row_bytes();
    uint8_t* to = made.pixels.data() + row * made.row_bytes();
    for (const Weights& weights : all) {
      const uint8_t* pixel = from + weights.first * kColors;
      int32_t sums[kColors] = {kHalf, kHalf, kHalf};
      for (int32_t weight : weights.values) {
        for (int32_t& sum : sums) sum += *pixel++ * weight;
      }
      for (int32_t sum : sums) *to++ = Clipped(sum);
    }
  }
  return made;
}

RgbImage WithHeight(const RgbImage& image, int64_t height,
                    const Filter& filter) {
  if (height == image.size.height) return image;
  RgbImage made = OfSize({height, image.size.width});
  const int64_t row_bytes = image.row_bytes();
  std::vector<int32_t> sums(row_bytes);
  uint8_t* to = made.pixels.data();
  for (int64_t row = 0; row < height; ++row) {
    const Weights weights = WeightsOf(row, image.size.height, height, filter);
    std::fill(sums.begin(), sums.end(), kHalf);
    const uint8_t* from = image.pixels.data() + weights.first * row_bytes;
    for (int32_t weight : weights.values) {
      for (int32_t& sum : sums) sum += *from++ * weight;
    }
    for (int32_t sum : sums) *to++ = Clipped(sum);
  }
  return made;
}

// Which pixel each new one is. Places are added up, as Pillow does it.
std::vector<int64_t> NearestPixels(int64_t from, int64_t to) {
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  std::vector<int64_t> pixels;
  double place = scale * 0.5;
  for (int64_t i = 0; i < to; ++i) {
    pixels.push_back(std::min(from - 1, static_cast<int64_t>(place)));
    place += scale;
  }
  return pixels;
}

RgbImage Nearest(const RgbImage& image, const ImageSize& size) {
  RgbImage made = OfSize(size);
  const std::vector<int64_t> columns =
      NearestPixels(image.size.width, size.width);
  uint8_t* to = made.pixels.data();
  for (int64_t row : NearestPixels(image.size.height, size.height)) {
    const uint8_t* const from = image.pixels.data() + row * image.row_bytes();
    for (int64_t column : columns) {
      std::memcpy(to, from + column * kColors, kColors);
      to += kColors;
    }
  }
  return made;
}

}  // namespace

RgbImage Resized(const RgbImage& image, const ImageSize& size,
                 ImageFilter filter) {
  CHECK(image.size.height > 0 && image.size.width > 0);
  CHECK(size.height > 0 && size.width > 0);
  if (filter == ImageFilter::kNearest) return Nearest(image, size);
  const Filter chosen = FilterOf(filter);
  if (HasColumnsFirst(image.size, size)) {
    return WithWidth(WithHeight(image, size.height, chosen), size.width,
                     chosen);
  }
  return WithHeight(WithWidth(image, size.width, chosen), size.height, chosen);
}

}  // namespace hydra
