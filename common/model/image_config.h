#ifndef HYDRA_COMMON_MODEL_IMAGE_CONFIG_H_
#define HYDRA_COMMON_MODEL_IMAGE_CONFIG_H_

#include <cstdint>

#include "common/model/config_reader.h"

namespace hydra {

// What the config.json of models that classify images have alike. Mistakes go
// to the reader, which is one of `json`.

// Beyond any image; products of such sizes fit 64 bits.
inline constexpr int64_t kMaxPixels = 1 << 14;
inline constexpr int64_t kMaxChannels = 1 << 10;

// One number for both sides, or [height, width], which must be there.
void ReadSides(const char* key, const ConfigReader::Json& json,
               ConfigReader& reader, int64_t& height, int64_t& width);

// How many classes id2label names, or num_labels says; `count` stays where
// neither is there. There are two at least.
void ReadLabels(const ConfigReader::Json& json, ConfigReader& reader,
                int64_t& count);

}  // namespace hydra

#endif  // HYDRA_COMMON_MODEL_IMAGE_CONFIG_H_
