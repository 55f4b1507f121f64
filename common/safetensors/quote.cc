#include "common/safetensors/quote.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace hydra::safetensors {
namespace {

constexpr size_t kMaxShownBytes = 128;

}  // namespace

std::string Quoted(absl::string_view name) {
  std::string quoted =
      absl::StrCat("\"", absl::CHexEscape(name.substr(0, kMaxShownBytes)));
  if (name.size() <= kMaxShownBytes) return absl::StrCat(quoted, "\"");
  return absl::StrCat(quoted, "...\" (", name.size(), " B)");
}

}  // namespace hydra::safetensors
