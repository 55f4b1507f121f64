#include "common/image/image_processing.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "absl/types/span.h"
#include "common/json/python_json.h"
#include "common/model/config_reader.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

using Json = nlohmann::ordered_json;

// Beyond any image.
constexpr int64_t kMaxSide = 1 << 14;
constexpr double kMaxNumber = 1e6;

// From this size on, ConvNext's processor resizes to it and cuts nothing.
constexpr int64_t kConvNextWhole = 384;

// What one of transformers' classes does where its file is silent.
struct Processor {
  absl::string_view name;
  ImageFilter filter;
  std::array<double, kColors> mean;
  std::array<double, kColors> standard_deviation;
  // A single number as `size` means both sides, and not the shorter one.
  bool is_square;
  int64_t size;
  // Of the crop; 0: there is none.
  int64_t crop;
};

constexpr std::array<double, kColors> kHalves = {0.5, 0.5, 0.5};
constexpr Processor kProcessors[] = {
    {"ViT", ImageFilter::kBilinear, kHalves, kHalves, true, 224, 0},
    {"Bit",
     ImageFilter::kBicubic,
     {0.48145466, 0.4578275, 0.40821073},
     {0.26862954, 0.26130258, 0.27577711},
     false,
     224,
     224},
    {"ConvNext", ImageFilter::kBicubic, kHalves, kHalves, false, 384, 0},
};
constexpr const Processor& kVit = kProcessors[0];
constexpr const Processor& kConvNext = kProcessors[2];

constexpr const char* kTypeKeys[] = {"image_processor_type",
                                     "feature_extractor_type"};

// What would change the numbers, and Hydra has not.
constexpr const char* kMissing[] = {"do_pad", "do_flip_channel_order",
                                    "do_thumbnail", "do_align_long_axis",
                                    "rescale_offset"};

// Nothing follows from these here: a picture is converted to RGB always, and
// the model says which layout it takes.
constexpr absl::string_view kUnused[] = {
    "_valid_processor_keys",  "data_format",
    "default_to_square",      "device",
    "disable_grouping",       "do_convert_rgb",
    "feature_extractor_type", "image_processor_type",
    "input_data_format",      "processor_class",
    "return_tensors"};
constexpr absl::string_view kUsed[] = {
    "crop_pct",  "crop_size",  "do_center_crop", "do_normalize",   "do_rescale",
    "do_resize", "image_mean", "image_std",      "rescale_factor", "resample",
    "size"};

bool IsAmong(absl::Span<const absl::string_view> keys, absl::string_view key) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

// "ViT" of "ViTImageProcessorFast".
std::string ShortName(absl::string_view type) {
  for (const char* end : {"Fast", "Pil"}) absl::ConsumeSuffix(&type, end);
  for (const char* end : {"ImageProcessor", "FeatureExtractor"}) {
    absl::ConsumeSuffix(&type, end);
  }
  return std::string(type);
}

const Processor& ProcessorOf(const Json& json, ConfigReader& reader) {
  for (const char* key : kTypeKeys) {
    if (!reader.Has(key)) continue;
    const Json& type = json.at(key);
    const std::string name =
        type.is_string() ? ShortName(type.get<std::string>()) : "";
    for (const Processor& processor : kProcessors) {
      if (processor.name == name) return processor;
    }
    reader.Fail(
        key, absl::StrCat("found ", ShownJson(type), "; supported are ",
                          absl::StrJoin(kProcessors, ", ",
                                        [](std::string* out, const auto& one) {
                                          absl::StrAppend(out, one.name,
                                                          "ImageProcessor");
                                        }),
                          "; make the examples yourself, and give them as "
                          "data.format: tensors"));
    return kVit;
  }
  return kVit;
}

// Height and width: an object of these, a list of the two, or one number for
// both.
std::optional<ImageSize> ReadSize(const char* key, const Json& value,
                                  ConfigReader& reader) {
  ImageSize size;
  if (value.is_object()) {
    ConfigReader sides(value, absl::StrCat(key, "."));
    sides.Dimension("height", nullptr, kMaxSide, size.height);
    sides.Dimension("width", nullptr, kMaxSide, size.width);
    reader.Add(sides);
    if (!sides.Result().ok()) return std::nullopt;
    return size;
  }
  const Json list = value.is_array() ? value : Json::array({value, value});
  const auto is_side = [](const Json& side) {
    return side.is_number_integer() && side.get<int64_t>() >= 1 &&
           side.get<int64_t>() <= kMaxSide;
  };
  if (list.size() != 2 || !is_side(list[0]) || !is_side(list[1])) {
    reader.Fail(key, absl::StrCat("found ", ShownJson(value),
                                  "; height and width, integers from 1 to ",
                                  kMaxSide, ", are needed"));
    return std::nullopt;
  }
  return ImageSize{list[0].get<int64_t>(), list[1].get<int64_t>()};
}

void ReadResize(const Json& json, const Processor& processor,
                ConfigReader& reader, ImageProcessing& processing) {
  const Json size = reader.Has("size") ? json.at("size") : Json(processor.size);
  const bool is_edge = size.is_object()
                           ? size.contains("shortest_edge")
                           : size.is_number() && !processor.is_square;
  if (!is_edge) {
    processing.size = ReadSize("size", size, reader);
    return;
  }
  int64_t edge = 0;
  if (size.is_object()) {
    ConfigReader edges(size, "size.");
    edges.Dimension("shortest_edge", nullptr, kMaxSide, edge);
    edges.MustBeEmpty("longest_edge");
    reader.Add(edges);
  } else if (const auto sides = ReadSize("size", size, reader)) {
    edge = sides->height;
  }
  if (edge > 0) processing.shortest_edge = edge;
}

// Its size is what is left of a picture that was resized to a little more.
void ReadConvNextResize(const Json& json, ConfigReader& reader,
                        ImageProcessing& processing) {
  ReadResize(json, kConvNext, reader, processing);
  double part = 224.0 / 256;
  reader.OptionalNumber("crop_pct", 0.01, 1, part);
  reader.MustBe("do_center_crop", false);
  if (!processing.shortest_edge.has_value()) {
    if (processing.size.has_value()) {
      reader.Fail("size", "ConvNext's processor needs shortest_edge");
    }
    return;
  }
  const int64_t side = *processing.shortest_edge;
  if (side < kConvNextWhole) {
    processing.shortest_edge = static_cast<int64_t>(side / part);
    processing.crop = ImageSize{side, side};
  } else {
    processing.shortest_edge.reset();
    processing.size = ImageSize{side, side};
  }
}

void ReadCrop(const Json& json, const Processor& processor,
              ConfigReader& reader, ImageProcessing& processing) {
  bool crops = processor.crop > 0;
  reader.OptionalBool("do_center_crop", crops);
  if (!crops) return;
  if (reader.Has("crop_size")) {
    processing.crop = ReadSize("crop_size", json.at("crop_size"), reader);
  } else if (processor.crop > 0) {
    processing.crop = ImageSize{processor.crop, processor.crop};
  } else {
    reader.Fail("crop_size", "missing; do_center_crop needs it");
  }
}

void ReadFilter(const Json& json, ConfigReader& reader, ImageFilter& filter) {
  if (!reader.Has("resample")) return;
  const Json& found = json.at("resample");
  for (ImageFilter known :
       {ImageFilter::kNearest, ImageFilter::kBilinear, ImageFilter::kBicubic}) {
    if (found == static_cast<int>(known)) {
      filter = known;
      return;
    }
  }
  reader.Fail("resample",
              absl::StrCat("found ", ShownJson(found),
                           "; supported are 0 (nearest), 2 (bilinear) and 3 "
                           "(bicubic)"));
}

// A number for each color, or one for all.
void ReadColors(const char* key, double least, const Json& json,
                ConfigReader& reader, std::array<double, kColors>& colors) {
  if (!reader.Has(key)) return;
  const Json& found = json.at(key);
  const Json list =
      found.is_array() ? found : Json::array({found, found, found});
  const auto is_good = [least](const Json& number) {
    return number.is_number() && number.get<double>() >= least &&
           number.get<double>() <= kMaxNumber;
  };
  if (list.size() != kColors ||
      !std::all_of(list.begin(), list.end(), is_good)) {
    reader.Fail(key, absl::StrCat("found ", ShownJson(found), "; ", kColors,
                                  " numbers from ", least, " to ", kMaxNumber,
                                  " are needed"));
    return;
  }
  for (int i = 0; i < kColors; ++i) colors[i] = list[i].get<double>();
}

std::string Text(const ImageSize& size) {
  return absl::StrCat(size.height, " x ", size.width);
}

// What the steps make, one after another, has to be what the model takes.
void CheckSizes(const ImageSize& wanted, const ImageProcessing& processing,
                ConfigReader& reader) {
  const std::optional<ImageSize>& size = processing.size;
  const std::optional<int64_t>& edge = processing.shortest_edge;
  const std::optional<ImageSize>& crop = processing.crop;
  if (edge.has_value() && !crop.has_value()) {
    reader.Fail("size",
                "with shortest_edge and without do_center_crop images would "
                "have different sizes");
    return;
  }
  const int64_t height = edge.value_or(size.value_or(ImageSize()).height);
  const int64_t width = edge.value_or(size.value_or(ImageSize()).width);
  if (crop.has_value() && height > 0 &&
      (crop->height > height || crop->width > width)) {
    reader.Fail("crop_size",
                absl::StrCat("found ", Text(*crop), ", and size only ",
                             Text({height, width}), "; images are not padded"));
    return;
  }
  const std::optional<ImageSize> made = crop.has_value() ? crop : size;
  if (made.has_value() && !(*made == wanted)) {
    reader.Fail(crop.has_value() ? "crop_size" : "size",
                absl::StrCat("makes images of ", Text(*made),
                             "; the model takes ", Text(wanted)));
  }
}

std::vector<std::string> WarningsOf(const Json& json) {
  std::vector<std::string> unknown;
  for (const auto& [key, value] : json.items()) {
    if (!IsAmong(kUsed, key) && !IsAmong(kUnused, key) &&
        std::find(std::begin(kMissing), std::end(kMissing), key) ==
            std::end(kMissing)) {
      unknown.push_back(Quoted(key));
    }
  }
  if (unknown.empty()) return {};
  return {absl::StrCat(kImageProcessorFile,
                       ": Hydra does not know and does not use ",
                       absl::StrJoin(unknown, ", "))};
}

ImageProcessing DefaultProcessing(const ImageSize& wanted) {
  ImageProcessing processing;
  processing.size = wanted;
  processing.filter = kVit.filter;
  processing.rescale_factor = 1.0 / 255;
  processing.normalizes = true;
  processing.mean = kVit.mean;
  processing.standard_deviation = kVit.standard_deviation;
  return processing;
}

void ReadNumbers(const Json& json, const Processor& processor,
                 ConfigReader& reader, ImageProcessing& processing) {
  bool rescales = true;
  reader.OptionalBool("do_rescale", rescales);
  double factor = 1.0 / 255;
  reader.OptionalNumber("rescale_factor", 0, kMaxNumber, factor);
  if (rescales) processing.rescale_factor = factor;
  processing.normalizes = true;
  reader.OptionalBool("do_normalize", processing.normalizes);
  processing.mean = processor.mean;
  processing.standard_deviation = processor.standard_deviation;
  ReadColors("image_mean", -kMaxNumber, json, reader, processing.mean);
  ReadColors("image_std", 1 / kMaxNumber, json, reader,
             processing.standard_deviation);
}

// Without the keys that say nothing.
Json WithoutNulls(const Json& json) {
  Json kept = Json::object();
  for (const auto& [key, value] : json.items()) {
    if (!value.is_null()) kept[key] = value;
  }
  return kept;
}

}  // namespace

absl::StatusOr<ParsedImageProcessing> ParseImageProcessing(
    std::optional<absl::string_view> text, const ExampleInput& input) {
  if (input.shape.size() != 3 || input.shape[0] != kColors) {
    return absl::InvalidArgumentError(
        absl::StrCat("the model takes ", input.name, " of [",
                     absl::StrJoin(input.shape, ", "), "]; pictures make [",
                     kColors, ", height, width]: red, green and blue"));
  }
  const ImageSize wanted = {input.shape[1], input.shape[2]};
  if (!text.has_value())
    return ParsedImageProcessing{DefaultProcessing(wanted)};
  const absl::StatusOr<Json> parsed = ParsePythonJson(*text);
  if (!parsed.ok()) return parsed.status();
  const Json json = WithoutNulls(*parsed);
  ConfigReader reader(json);
  const Processor& processor = ProcessorOf(json, reader);
  ImageProcessing processing;
  processing.filter = processor.filter;
  bool resizes = true;
  reader.OptionalBool("do_resize", resizes);
  if (resizes && &processor == &kConvNext) {
    ReadConvNextResize(json, reader, processing);
  } else {
    if (resizes) ReadResize(json, processor, reader, processing);
    ReadCrop(json, processor, reader, processing);
  }
  ReadFilter(json, reader, processing.filter);
  ReadNumbers(json, processor, reader, processing);
  for (const char* key : kMissing) {
    if (reader.Has(key)) reader.MustBe(key, false);
  }
  if (absl::Status status = reader.Result(); !status.ok()) return status;
  CheckSizes(wanted, processing, reader);
  if (absl::Status status = reader.Result(); !status.ok()) return status;
  return ParsedImageProcessing{processing, WarningsOf(json)};
}

std::string TextOf(const ImageProcessing& processing) {
  std::string text;
  if (processing.size.has_value()) {
    absl::StrAppend(&text, "size ", Text(*processing.size), " ");
  }
  if (processing.shortest_edge.has_value()) {
    absl::StrAppend(&text, "edge ", *processing.shortest_edge, " ");
  }
  absl::StrAppend(&text, "filter ", static_cast<int>(processing.filter));
  if (processing.crop.has_value()) {
    absl::StrAppend(&text, " crop ", Text(*processing.crop));
  }
  // %a: each double has a text of its own.
  if (processing.rescale_factor.has_value()) {
    absl::StrAppendFormat(&text, " factor %a", *processing.rescale_factor);
  }
  if (!processing.normalizes) return text;
  for (int i = 0; i < kColors; ++i) {
    absl::StrAppendFormat(&text, " color %a %a", processing.mean[i],
                          processing.standard_deviation[i]);
  }
  return text;
}

}  // namespace hydra
