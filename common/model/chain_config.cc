#include "common/model/chain_config.h"

#include <algorithm>
#include <initializer_list>
#include <map>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/json/python_json.h"
#include "common/model/class_labels.h"
#include "common/model/config_reader.h"

namespace hydra {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMostDimensions = 8;
// Of one tensor. Sums of as many layers' fit 64 bits.
constexpr int64_t kMostNumbers = int64_t{1} << 40;
constexpr size_t kMostNameBytes = 512;
// A pass takes a list of them along.
constexpr size_t kMostParameters = 10'000;
constexpr size_t kSha256Digits = 64;
// A file with more of them has one that is made again and again.
constexpr size_t kMostMistakes = 25;
constexpr char kExtension[] = ".pt";

// Names of classes, which Hydra adds where it finds some.
constexpr char kClassLabels[] = "label2id";
constexpr char kFloat32[] = "float32";
constexpr char kCrossEntropy[] = "cross_entropy";

// The object's own keys, each needed but the `optional` one.
void CheckKeys(const Json& json, std::initializer_list<const char*> keys,
               ConfigReader& reader, absl::string_view optional = "") {
  for (const char* key : keys) {
    if (!json.contains(key)) reader.Fail(key, "missing");
  }
  for (const auto& [key, value] : json.items()) {
    if (key != optional &&
        std::find(keys.begin(), keys.end(), key) == keys.end()) {
      reader.Fail(
          ShownJson(Json(key)),
          absl::StrCat("unknown; there are ", absl::StrJoin(keys, ", ")));
    }
  }
}

// Null, with a mistake unless the key is missing: it is not there, or of
// another type.
const Json* Find(const Json& json, const char* key, Json::value_t type,
                 const char* wanted, ConfigReader& reader) {
  const auto found = json.find(key);
  if (found == json.end()) return nullptr;
  if (found->type() == type) return &*found;
  reader.Fail(key, absl::StrCat("found ", ShownJson(*found), "; ", wanted,
                                " is needed"));
  return nullptr;
}

void ReadText(const Json& json, const char* key, ConfigReader& reader,
              std::string& text) {
  const Json* const found =
      Find(json, key, Json::value_t::string, "a text", reader);
  if (found == nullptr) return;
  text = found->get<std::string>();
  if (text.empty() || text.size() > kMostNameBytes ||
      std::any_of(text.begin(), text.end(), absl::ascii_iscntrl)) {
    reader.Fail(key, absl::StrCat("found ", ShownJson(*found),
                                  "; a text of 1 to ", kMostNameBytes,
                                  " bytes without control characters is "
                                  "needed"));
    text.clear();
  }
}

void MustBeText(const Json& json, const char* key, absl::string_view wanted,
                ConfigReader& reader) {
  const auto found = json.find(key);
  if (found == json.end() || *found == std::string(wanted)) return;
  reader.Fail(key, absl::StrCat("found ", ShownJson(*found), "; only \"",
                                wanted, "\" is supported"));
}

void ReadShape(const Json& json, const char* key, size_t least_dimensions,
               ConfigReader& reader, std::vector<int64_t>& shape) {
  const Json* const found =
      Find(json, key, Json::value_t::array, "a list of sizes", reader);
  if (found == nullptr) return;
  const auto is_size = [](const Json& size) {
    return size.is_number_unsigned() && size.get<uint64_t>() >= 1 &&
           size.get<uint64_t>() <= static_cast<uint64_t>(kMaxDimension);
  };
  if (found->size() < least_dimensions || found->size() > kMostDimensions ||
      !std::all_of(found->begin(), found->end(), is_size)) {
    reader.Fail(key, absl::StrCat("a list of ", least_dimensions, " to ",
                                  kMostDimensions, " integers from 1 to ",
                                  kMaxDimension, " is needed"));
    return;
  }
  int64_t numbers = 1;
  for (const Json& size : *found) {
    if (size.get<int64_t>() > kMostNumbers / numbers) {
      reader.Fail(
          key, absl::StrCat("a tensor has at most ", kMostNumbers, " numbers"));
      shape.clear();
      return;
    }
    numbers *= size.get<int64_t>();
    shape.push_back(size.get<int64_t>());
  }
}

// A name that stays in its directory, and is no other file's of a model.
bool IsLayerFile(absl::string_view name) {
  return absl::EndsWith(name, kExtension) &&
         name.size() > sizeof(kExtension) - 1 && name.front() != '.' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-';
         });
}

void ReadFile(const Json& json, ConfigReader& reader, ChainLayer& layer) {
  ReadText(json, "file", reader, layer.file);
  if (!layer.file.empty() && !IsLayerFile(layer.file)) {
    reader.Fail("file", absl::StrCat("found ", ShownJson(Json(layer.file)),
                                     "; the plain name of a ", kExtension,
                                     " file is needed, of letters, digits, "
                                     "\".\", \"_\" and \"-\""));
  }
  ReadText(json, "sha256", reader, layer.sha256);
  const bool is_digest =
      layer.sha256.size() == kSha256Digits &&
      std::all_of(layer.sha256.begin(), layer.sha256.end(), [](char c) {
        return absl::ascii_isdigit(c) || (c >= 'a' && c <= 'f');
      });
  if (!layer.sha256.empty() && !is_digest) {
    reader.Fail("sha256", absl::StrCat("found ", ShownJson(Json(layer.sha256)),
                                       "; ", kSha256Digits,
                                       " lower-case hexadecimal digits are "
                                       "needed"));
  }
}

// "0.weight".
bool IsAttribute(absl::string_view name) {
  if (name.size() > kMostNameBytes) return false;
  const std::vector<absl::string_view> parts = absl::StrSplit(name, '.');
  return std::all_of(parts.begin(), parts.end(), [](absl::string_view part) {
    return !part.empty() && std::all_of(part.begin(), part.end(), [](char c) {
      return absl::ascii_isalnum(c) || c == '_';
    });
  });
}

void ReadAttributes(const Json& json, ConfigReader& reader,
                    std::vector<std::string>& attributes) {
  const Json* const found =
      Find(json, "attributes", Json::value_t::array, "a list of names", reader);
  if (found == nullptr) return;
  const auto is_attribute = [](const Json& name) {
    return name.is_string() && IsAttribute(name.get<std::string>());
  };
  if (found->empty() || found->size() > kMostParameters ||
      !std::all_of(found->begin(), found->end(), is_attribute)) {
    reader.Fail("attributes",
                "the names of at least one attribute are needed, of letters, "
                "digits and \"_\", parted by \".\"");
    return;
  }
  for (const Json& name : *found) {
    attributes.push_back(name.get<std::string>());
  }
}

ChainParameter ReadParameter(const Json& json, const std::string& prefix,
                             ConfigReader& outer) {
  ConfigReader reader(json, prefix);
  ChainParameter parameter;
  CheckKeys(json, {"name", "shape", "attributes"}, reader);
  ReadText(json, "name", reader, parameter.name);
  ReadShape(json, "shape", 0, reader, parameter.shape);
  ReadAttributes(json, reader, parameter.attributes);
  outer.Add(reader);
  return parameter;
}

// Each an object; those that are not are mistakes.
template <typename Read>
void ReadObjects(const Json& json, const char* key, const std::string& prefix,
                 size_t most, ConfigReader& reader, Read read) {
  const Json* const found =
      Find(json, key, Json::value_t::array, "a list of objects", reader);
  if (found == nullptr) return;
  if (found->empty() || found->size() > most) {
    reader.Fail(key, absl::StrCat("found ", found->size(), "; 1 to ", most,
                                  " are possible"));
    return;
  }
  for (size_t i = 0; i < found->size(); ++i) {
    const std::string name = absl::StrCat(key, "[", i, "]");
    if (!(*found)[i].is_object()) {
      reader.Fail(name, absl::StrCat("found ", ShownJson((*found)[i]),
                                     "; an object is needed"));
      continue;
    }
    read((*found)[i], absl::StrCat(prefix, name, "."));
  }
}

ChainLayer ReadLayer(const Json& json, const std::string& prefix,
                     ConfigReader& outer) {
  ConfigReader reader(json, prefix);
  ChainLayer layer;
  CheckKeys(json, {"op", "file", "sha256", "output", "parameters"}, reader);
  ReadText(json, "op", reader, layer.op);
  ReadFile(json, reader, layer);
  ReadShape(json, "output", 1, reader, layer.output);
  ReadObjects(
      json, "parameters", prefix, kMostParameters, reader,
      [&](const Json& parameter, const std::string& inner) {
        layer.parameters.push_back(ReadParameter(parameter, inner, reader));
      });
  outer.Add(reader);
  return layer;
}

void ReadInput(const Json& json, ConfigReader& outer, ChainConfig& chain) {
  const Json* const found =
      Find(json, "input", Json::value_t::object, "an object", outer);
  if (found == nullptr) return;
  ConfigReader reader(*found, "input.");
  CheckKeys(*found, {"name", "shape", "dtype"}, reader);
  ReadText(*found, "name", reader, chain.input_name);
  ReadShape(*found, "shape", 1, reader, chain.input_shape);
  MustBeText(*found, "dtype", kFloat32, reader);
  if (chain.input_name == "labels") {
    reader.Fail("name",
                "found \"labels\", which is what files of data call "
                "the classes");
  }
  outer.Add(reader);
}

// What no key says alone.
void CheckNames(const ChainConfig& chain, ConfigReader& reader) {
  std::map<std::string, const ChainParameter*> known;
  std::map<std::string, const std::string*> digests;
  int64_t numbers = 0;
  for (size_t i = 0; i < chain.layers.size(); ++i) {
    const ChainLayer& layer = chain.layers[i];
    std::set<std::string> names, attributes;
    for (size_t j = 0; j < layer.parameters.size(); ++j) {
      const ChainParameter& parameter = layer.parameters[j];
      const std::string field =
          absl::StrCat("layers[", i, "].parameters[", j, "]");
      const auto [first, is_new] =
          known.try_emplace(parameter.name, &parameter);
      if (!names.insert(parameter.name).second) {
        reader.Fail(field, absl::StrCat("the layer has ", parameter.name,
                                        " twice; write it once, with all of "
                                        "its attributes"));
      } else if (first->second->shape != parameter.shape) {
        reader.Fail(field, absl::StrCat("another layer has ", parameter.name,
                                        " with another shape"));
      }
      for (const std::string& attribute : parameter.attributes) {
        if (attributes.insert(attribute).second) continue;
        reader.Fail(field, absl::StrCat("the layer has the attribute ",
                                        attribute, " twice"));
      }
      if (!is_new) continue;
      int64_t count = 1;
      for (int64_t size : parameter.shape) count *= size;
      // As many as ReadShape lets through; 10,000 layers with as many tensors
      // of 2^40 are more than 2^63.
      numbers = std::min(numbers + count, kMostNumbers * 1000);
    }
    const auto [digest, is_new] =
        digests.try_emplace(layer.file, &layer.sha256);
    if (!is_new && *digest->second != layer.sha256) {
      reader.Fail(
          absl::StrCat("layers[", i, "].sha256"),
          absl::StrCat("another layer has ", layer.file, " with another one"));
    }
  }
  reader.AtMostParameters("layers", numbers);
  if (chain.layers.back().output != std::vector<int64_t>{chain.classes}) {
    reader.Fail(
        absl::StrCat("layers[", chain.layers.size() - 1, "].output"),
        absl::StrCat("found [", absl::StrJoin(chain.layers.back().output, ", "),
                     "]; the last layer makes one number for each of the ",
                     chain.classes, " classes"));
  }
}

// INVALID_ARGUMENT: the mistakes, of which a long list is cut.
absl::Status ResultOf(const ConfigReader& reader) {
  std::vector<std::string> mistakes = reader.mistakes();
  if (mistakes.empty()) return absl::OkStatus();
  const size_t count = mistakes.size();
  if (count > kMostMistakes) {
    mistakes.resize(kMostMistakes);
    mistakes.push_back(
        absl::StrCat("and ", count - kMostMistakes, " more mistakes"));
  }
  return absl::InvalidArgumentError(absl::StrJoin(mistakes, "\n"));
}

}  // namespace

absl::StatusOr<ChainConfig> ParseChainConfig(absl::string_view text) {
  const absl::StatusOr<Json> parsed = ParsePythonJson(text);
  if (!parsed.ok()) return parsed.status();
  const Json& json = *parsed;
  ConfigReader reader(json);
  // Of another format all else may be another thing.
  if (const auto format = json.find("format");
      format != json.end() && *format != kChainFormat) {
    reader.Fail("format", absl::StrCat("found ", ShownJson(*format),
                                       "; this Hydra reads ", kChainFormat));
    return ResultOf(reader);
  }
  ChainConfig chain;
  CheckKeys(json,
            {"model_type", "format", "loss", "input", "classes", "layers"},
            reader, kClassLabels);
  MustBeText(json, "model_type", kChainModelType, reader);
  MustBeText(json, "loss", kCrossEntropy, reader);
  ReadInput(json, reader, chain);
  if (json.contains("classes")) {
    reader.Dimension("classes", nullptr, kMaxDimension, chain.classes);
    if (chain.classes == 1) {
      reader.Fail("classes", "found 1; at least 2 are needed");
    }
    ReadClassLabels(json, chain.classes, reader);
  }
  ReadObjects(json, "layers", "", kMaxLayers, reader,
              [&](const Json& layer, const std::string& prefix) {
                chain.layers.push_back(ReadLayer(layer, prefix, reader));
              });
  if (absl::Status status = ResultOf(reader); !status.ok()) return status;
  CheckNames(chain, reader);
  if (absl::Status status = ResultOf(reader); !status.ok()) return status;
  return chain;
}

}  // namespace hydra
