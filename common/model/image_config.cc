#include "common/model/image_config.h"

#include "absl/strings/str_cat.h"
#include "common/json/python_json.h"

namespace hydra {

void ReadSides(const char* key, const ConfigReader::Json& json,
               ConfigReader& reader, int64_t& height, int64_t& width) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_array()) {
    reader.Dimension(key, nullptr, kMaxPixels, height);
    width = height;
    return;
  }
  const auto is_side = [](const ConfigReader::Json& side) {
    return side.is_number_unsigned() && side.get<uint64_t>() >= 1 &&
           side.get<uint64_t>() <= static_cast<uint64_t>(kMaxPixels);
  };
  if (found->size() != 2 || !is_side((*found)[0]) || !is_side((*found)[1])) {
    reader.Fail(key, absl::StrCat("found ", ShownJson(*found),
                                  "; an integer from 1 to ", kMaxPixels,
                                  ", or a list of two, is needed"));
    return;
  }
  height = (*found)[0].get<int64_t>();
  width = (*found)[1].get<int64_t>();
}

void ReadLabels(const ConfigReader::Json& json, ConfigReader& reader,
                int64_t& count) {
  constexpr char kLabels[] = "id2label";
  if (!reader.Has(kLabels)) {
    reader.OptionalDimension("num_labels", kMaxDimension, count);
  } else if (const ConfigReader::Json& labels = json.at(kLabels);
             labels.is_object()) {
    count = static_cast<int64_t>(labels.size());
  } else {
    reader.Fail(kLabels, absl::StrCat("found ", ShownJson(labels),
                                      "; an object, which names each class by "
                                      "its number, is needed"));
    return;
  }
  if (count < 2) {
    reader.Fail(reader.Has(kLabels) ? kLabels : "num_labels",
                absl::StrCat("found ", count,
                             " classes; at least 2 are needed, as there is no "
                             "regression"));
  }
}

}  // namespace hydra
