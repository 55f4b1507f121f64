#ifndef HYDRA_COMMON_SAFETENSORS_JSON_EVENTS_H_
#define HYDRA_COMMON_SAFETENSORS_JSON_EVENTS_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace hydra::safetensors {

// A JSON value that contains no others.
struct JsonScalar {
  enum class Kind { kNull, kBool, kUnsigned, kOtherNumber, kString };

  Kind kind;
  uint64_t number = 0;  // of kUnsigned: digits alone, at most 2^64 - 1
  std::string text;     // of kString
};

enum class JsonContainer { kObject, kArray };

// Is told what stands in a JSON document, in order. Any error that it answers
// ends the reading and is passed on.
class JsonHandler {
 public:
  virtual ~JsonHandler() = default;

  virtual absl::Status OnScalar(JsonScalar value) = 0;
  virtual absl::Status OnBegin(JsonContainer container) = 0;
  virtual absl::Status OnKey(std::string key) = 0;
  // The innermost container that began ends.
  virtual absl::Status OnEnd() = 0;
};

// Tells `handler` what stands in `text`, which must be one JSON object with
// nothing but white space around it, and nested no deeper than 127. Nothing is
// built: memory beside the handler's is a few times the longest string.
//
// INVALID_ARGUMENT: not such an object, or not UTF-8; the message gives the
//   byte, counted from `first_byte`, the place of `text` in its file. The
//   handler may have been told what stands before it.
// Else the handler's own error.
absl::Status ReadJsonObject(absl::string_view text, int64_t first_byte,
                            JsonHandler* handler);

}  // namespace hydra::safetensors

#endif  // HYDRA_COMMON_SAFETENSORS_JSON_EVENTS_H_
