#ifndef HYDRA_COMMON_SAFETENSORS_HEADER_JSON_H_
#define HYDRA_COMMON_SAFETENSORS_HEADER_JSON_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/safetensors/dtype.h"

namespace hydra::safetensors {

// What a header says of one tensor, believed by nobody yet.
struct HeaderEntry {
  std::string name;
  Dtype dtype = Dtype::kBool;
  std::vector<uint64_t> shape;
  // Offsets from the first byte behind the header.
  uint64_t begin = 0;
  uint64_t end = 0;
};

struct HeaderJson {
  // In the order of the text. A name may come twice: the later one counts.
  std::vector<HeaderEntry> entries;
  // "__metadata__"; empty too when there is none.
  std::map<std::string, std::string> metadata;
};

// Reads the JSON of a safetensors header: everything that can be told without
// comparing tensors. Accepts the texts that the reference reader accepts, its
// oddities included: a tensor may be written as [dtype, shape, offsets], a
// dtype as {"F32": null}, fields that the format does not know are ignored, a
// field that it knows must not come twice.
//
// INVALID_ARGUMENT: any other text; names the tensor, or the byte in the file.
absl::StatusOr<HeaderJson> ParseHeaderJson(absl::string_view text);

}  // namespace hydra::safetensors

#endif  // HYDRA_COMMON_SAFETENSORS_HEADER_JSON_H_
