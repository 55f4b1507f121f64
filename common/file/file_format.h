#ifndef HYDRA_COMMON_FILE_FILE_FORMAT_H_
#define HYDRA_COMMON_FILE_FILE_FORMAT_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/file/file.h"

namespace hydra {

// What a file is that was taken for something else, such as a Git LFS pointer
// in place of a model's weights.
struct FileFormat {
  // With its article: "a Git LFS pointer".
  absl::string_view name;
  // What its owner should do: "run 'git lfs pull' ...".
  absl::string_view remedy;
  // It is made of text that somebody may mean as it is (HTML, JSON).
  bool is_text = false;
  // Bytes of the file that had to be just so. Ids of tokens may begin with any
  // few bytes by chance.
  int signature_bytes = 0;
};

// The name of two formats that a caller may look for itself.
inline constexpr absl::string_view kSafetensorsName = "a safetensors file";
inline constexpr absl::string_view kJsonName = "JSON";

// As much of a file as RecogniseFormat looks at.
inline constexpr int64_t kFormatHeadBytes = 4096;

// The format of the file that begins with `head`, its first kFormatHeadBytes or
// all of it. Null: none of those that are known here, as plain text is. Pure.
const FileFormat* RecogniseFormat(absl::string_view head);

// "a Git LFS pointer; run 'git lfs pull' ...".
std::string Describe(const FileFormat& format);

// The first kFormatHeadBytes of a file, or all of a shorter one.
//
// Errors: as ReadExactly's.
absl::StatusOr<std::string> ReadHead(const UniqueFd& fd,
                                     absl::string_view path);

}  // namespace hydra

#endif  // HYDRA_COMMON_FILE_FILE_FORMAT_H_
