#include "worker/data/image/image_decoder.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/file/file_format.h"
#include "worker/data/image/jpeg_decoder.h"
#include "worker/data/image/png_decoder.h"

namespace hydra {
namespace {

// A start-of-image marker, and the begin of the next one.
constexpr absl::string_view kJpeg = "\xff\xd8\xff";
constexpr absl::string_view kPng = "\x89PNG\r\n\x1a\n";

}  // namespace

absl::StatusOr<DecodedImage> DecodeImage(absl::string_view file) {
  if (absl::StartsWith(file, kPng)) return DecodePng(file);
  if (absl::StartsWith(file, kJpeg)) return DecodeJpeg(file);
  if (file.empty()) return absl::InvalidArgumentError("is empty");
  const FileFormat* const found =
      RecogniseFormat(file.substr(0, kFormatHeadBytes));
  return absl::InvalidArgumentError(absl::StrCat(
      "is no JPEG and no PNG picture",
      found == nullptr ? "" : absl::StrCat(" but ", Describe(*found))));
}

}  // namespace hydra
