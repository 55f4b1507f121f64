#ifndef HYDRA_COMMON_TOKENIZER_JSON_SECTION_H_
#define HYDRA_COMMON_TOKENIZER_JSON_SECTION_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hydra {

// How messages end that refuse what nobody can change in the file.
inline constexpr absl::string_view kTokenizeYourself =
    "tokenize the text yourself and give the ids as data.format: tokens_u32";

// One object of a tokenizer.json, whose keys are read and checked. Errors are
// INVALID_ARGUMENT: the file, the key with its path, what was found, what it
// may be. Refers to what it is made of. Immutable.
class JsonSection {
 public:
  // `path`: of the object in the file, "" for the whole.
  JsonSection(const nlohmann::json& json, absl::string_view file,
              std::string path)
      : json_(json), file_(file), path_(std::move(path)) {}

  // Null if it is not there, or is null.
  const nlohmann::json* Find(const char* key) const;

  // Its "type"; "" if it has none.
  std::string Type() const;

  absl::Status Wrong(absl::string_view key, const nlohmann::json& found,
                     absl::string_view wanted) const;
  // Of the object itself.
  absl::Status Wrong(absl::string_view wanted) const;

  // Not there, null, or `value`.
  absl::Status MayBe(const char* key, const nlohmann::json& value) const;

  // `otherwise` if it is not there or null.
  absl::StatusOr<bool> Bool(const char* key, bool otherwise) const;
  absl::StatusOr<std::string> Text(const char* key,
                                   std::string otherwise) const;

  // Calls `step` for this object or, if it is of type Sequence, in their order
  // for the objects of its list `list`.
  absl::Status ForEachStep(
      const char* list,
      absl::FunctionRef<absl::Status(const JsonSection&)> step) const;

  // What is at `key`, as a section; it must be an object.
  absl::StatusOr<JsonSection> Inside(const char* key) const;

 private:
  std::string PathOf(absl::string_view key) const;

  const nlohmann::json& json_;
  const absl::string_view file_;
  const std::string path_;
};

}  // namespace hydra

#endif  // HYDRA_COMMON_TOKENIZER_JSON_SECTION_H_
