#ifndef HYDRA_COMMON_JSON_PYTHON_JSON_H_
#define HYDRA_COMMON_JSON_PYTHON_JSON_H_

#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// JSON files of the Hugging Face libraries, which Python's json module writes
// and reads, and people edit. Pure.
namespace hydra {

// Deeper nesting is refused: what walks through a value calls itself.
inline constexpr int kMaxJsonDepth = 100;

// Reads an object. Infinity, -Infinity and NaN are taken, as Python does; they
// become strings that no text of the file means (see WritePythonJson). A byte
// order mark is skipped.
//
// INVALID_ARGUMENT: not such an object, or one that gives a key of its top
//   level twice. The message has the line, the column, and what was meant where
//   that can be told (a trailing comma, a comment, Python's True, ...).
absl::StatusOr<nlohmann::ordered_json> ParsePythonJson(absl::string_view text);

// The same, as the text of strict JSON: for those who build it otherwise.
absl::StatusOr<std::string> StrictJson(absl::string_view text);

// The value as JSON, with Infinity, -Infinity and NaN where it was read so.
// `indent` -1: in one line.
std::string WritePythonJson(const nlohmann::ordered_json& value, int indent);

// A value as a message shows it: its text, of which a long one is cut, or "an
// array" or "an object", since writing those calls itself for what is inside.
std::string ShownJson(const nlohmann::ordered_json& value);
std::string ShownJson(const nlohmann::json& value);

}  // namespace hydra

#endif  // HYDRA_COMMON_JSON_PYTHON_JSON_H_
