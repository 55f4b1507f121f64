#ifndef HYDRA_COMMON_MODEL_CHAIN_CONFIG_H_
#define HYDRA_COMMON_MODEL_CHAIN_CONFIG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hydra {

// The file of an exported chain that stands where other models have their
// config.json, and the model_type that it names.
inline constexpr char kChainFile[] = "chain.json";
inline constexpr char kChainModelType[] = "hydra_chain";
// The only one so far.
inline constexpr int kChainFormat = 1;
// A layer's file has code alone.
inline constexpr int64_t kMaxLayerFileBytes = int64_t{16} << 20;

// One tensor that a layer trains.
struct ChainParameter {
  // As the model's state_dict has it; a name that several layers have is one
  // tensor, which is tied.
  std::string name;
  // Empty: one number.
  std::vector<int64_t> shape;
  // Where it is in the layer's own module: "0.weight". More than one: the
  // module has it in several places.
  std::vector<std::string> attributes;
};

// One link: a module that makes one fp32 tensor of one.
struct ChainLayer {
  // What it is, for people: "Linear".
  std::string op;
  // Its TorchScript, a file beside chain.json, and the SHA-256 of its bytes in
  // lower-case hexadecimal digits.
  std::string file;
  std::string sha256;
  // What it makes of one example.
  std::vector<int64_t> output;
  // At least one.
  std::vector<ChainParameter> parameters;
};

// A classifier of the user's own, as hydrad.export (client/python) writes it. A
// value type.
struct ChainConfig {
  // Of one example, as files of data name it.
  std::string input_name;
  std::vector<int64_t> input_shape;
  // Numbers that the last layer makes, one for each class.
  int64_t classes = 0;
  std::vector<ChainLayer> layers;
};

// Reads the text of a chain.json. Nothing that the format has not is taken, and
// nothing that it has may be missing.
//
// INVALID_ARGUMENT: not JSON (see ParsePythonJson), or not such a file; the
//   message has one line for each mistake, "layers[2].file: what was found and
//   what would be right". Nothing large is allocated.
absl::StatusOr<ChainConfig> ParseChainConfig(absl::string_view json);

}  // namespace hydra

#endif  // HYDRA_COMMON_MODEL_CHAIN_CONFIG_H_
